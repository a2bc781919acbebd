//! Driver: the loop that tasks run in.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_dispatch::{Failure, Next, Pace, Task, Wakeup, drive};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

/// Never within a test.
const NEVER: Duration = Duration::from_secs(24 * 3_600);
const AT_ONCE: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy)]
enum Act {
    Leave(Next),
    Fail,
    Panic,
}

/// A task that does as it is told, and nothing after that.
struct Scripted {
    interval: Duration,
    acts: VecDeque<Act>,
    began: mpsc::UnboundedSender<()>,
    ended: mpsc::UnboundedSender<()>,
    /// A permit for each run.
    gate: Arc<Semaphore>,
    wakeup: Wakeup,
}

impl Task for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(self.interval)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        async {
            self.began.send(()).unwrap();
            self.gate.acquire().await.unwrap().forget();
            self.ended.send(()).unwrap();
            match self.acts.pop_front() {
                Some(Act::Leave(next)) => Ok(next),
                Some(Act::Fail) => Err("told to".into()),
                Some(Act::Panic) => panic!("told to"),
                None => Ok(Next::Later),
            }
        }
        .boxed()
    }

    fn woken(&mut self) -> BoxFuture<'_, ()> {
        self.wakeup.woken().boxed()
    }
}

/// A driven task, from outside.
struct Driven {
    began: mpsc::UnboundedReceiver<()>,
    ended: mpsc::UnboundedReceiver<()>,
    gate: Arc<Semaphore>,
    wakeup: Wakeup,
    shutdown: CancellationToken,
    driver: JoinHandle<()>,
}

impl Driven {
    fn start(interval: Duration, acts: &[Act]) -> Self {
        Self::behind(Semaphore::MAX_PERMITS, interval, acts)
    }

    /// Its runs end as permits are added to the gate.
    fn behind(permits: usize, interval: Duration, acts: &[Act]) -> Self {
        let (tell_began, began) = mpsc::unbounded_channel();
        let (tell_ended, ended) = mpsc::unbounded_channel();
        let (gate, wakeup) = (Arc::new(Semaphore::new(permits)), Wakeup::default());
        let shutdown = CancellationToken::new();
        let task = Scripted {
            interval,
            acts: acts.iter().copied().collect(),
            began: tell_began,
            ended: tell_ended,
            gate: gate.clone(),
            wakeup: wakeup.clone(),
        };
        Self {
            began,
            ended,
            gate,
            wakeup,
            driver: tokio::spawn(drive(Box::new(task), shutdown.clone())),
            shutdown,
        }
    }

    async fn runs(&mut self, count: usize) {
        for _ in 0..count {
            timeout(PATIENCE, self.ended.recv()).await.unwrap().unwrap();
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.driver).await.unwrap().unwrap();
    }
}

/// What the metrics of this thread say; the tests' runtimes have no other.
fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().build_recorder()
}

fn runs(recorder: &PrometheusRecorder, outcome: &str) -> u64 {
    let text = recorder.handle().render();
    let line = text.lines().find(|line| {
        line.starts_with("gristmill_task_runs_total{") && line.contains(&format!("\"{outcome}\""))
    });
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_task_runs_at_once_and_then_at_its_interval() {
    let mut driven = Driven::start(AT_ONCE, &[]);
    driven.runs(3).await;
    driven.stop().await;
}

#[tokio::test]
async fn a_task_that_may_have_more_to_do_runs_again_at_once() {
    let again = Act::Leave(Next::Again(Duration::ZERO));
    let mut driven = Driven::start(NEVER, &[again, again]);
    driven.runs(3).await;
    driven.stop().await;
}

#[tokio::test]
async fn a_task_that_is_woken_does_not_wait_for_its_interval() {
    let mut driven = Driven::behind(1, NEVER, &[]);
    driven.runs(1).await;
    driven.wakeup.wake();
    timeout(PATIENCE, driven.began.recv()).await.unwrap().unwrap();
    timeout(PATIENCE, driven.began.recv()).await.unwrap().unwrap();
    // Whoever wakes it while it runs may have come too late for that run.
    driven.wakeup.wake();
    driven.gate.add_permits(2);
    driven.runs(2).await;
    driven.stop().await;
}

#[tokio::test]
async fn a_task_that_fails_or_panics_runs_again_and_is_counted() {
    let recorder = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let more = Act::Leave(Next::Again(Duration::ZERO));
    let mut driven = Driven::start(AT_ONCE, &[Act::Fail, Act::Panic, Act::Panic, more]);
    driven.runs(5).await;
    driven.shutdown.cancel();
    driven.stop().await;
    let counted = ["failed", "panicked", "more"].map(|outcome| runs(&recorder, outcome));
    assert_eq!(counted, [1, 2, 1]);
    assert!(runs(&recorder, "done") >= 1);
    let text = recorder.handle().render();
    for name in [
        "gristmill_task_duration_seconds_count{task=\"scripted\"}",
        "gristmill_task_last_run_timestamp_seconds{task=\"scripted\"}",
    ] {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        assert!(value.unwrap().trim().parse::<f64>().unwrap() > 0.0, "{text}");
    }
}

#[tokio::test]
async fn what_fails_is_not_made_to_fail_again_by_whoever_wakes_it() {
    let recorder = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mut driven = Driven::start(NEVER, &[Act::Fail]);
    driven.runs(1).await;
    driven.wakeup.wake();
    // This runtime has one thread, and the driver its turn each time.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    driven.stop().await;
    assert_eq!((runs(&recorder, "failed"), runs(&recorder, "done")), (1, 0));
}

#[tokio::test]
async fn a_pause_ends_with_the_process() {
    let mut driven = Driven::start(NEVER, &[]);
    driven.runs(1).await;
    driven.stop().await;
}

#[tokio::test]
async fn a_run_under_way_is_carried_to_its_end_and_is_the_last() {
    let mut driven = Driven::behind(0, AT_ONCE, &[]);
    timeout(PATIENCE, driven.began.recv()).await.unwrap().unwrap();
    driven.shutdown.cancel();
    driven.gate.add_permits(9);
    timeout(PATIENCE, driven.driver).await.unwrap().unwrap();
    assert_eq!(driven.ended.recv().await, Some(()));
    assert_eq!(driven.ended.recv().await, None);
    assert_eq!(driven.began.recv().await, None);
}
