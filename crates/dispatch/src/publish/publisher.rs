//! Publishing: from a bounded buffer to the broker, and the broker's confirms back into the database.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gristmill_core::{ExecutionId, boxed, failpoint};
use gristmill_queue::{Broker, Error, Outgoing, Published, PublisherState};
use gristmill_store::{Protocol, System};
use metrics::{counter, gauge};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How many jobs may wait for the broker. One more is dropped: its row is the copy, and the relay publishes it later.
const BUFFER: usize = 8_192;

/// How many jobs are published together.
const GROUP: usize = 512;

/// How long a confirmed job is given to be claimed before the confirm is written down. Nearly every job is claimed
/// within milliseconds, and then there is nothing left to write.
const CONFIRM_AFTER: Duration = Duration::from_secs(5);

/// How often confirms are written down.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);

/// A handle to the task that publishes jobs.
#[derive(Clone)]
pub struct Publisher {
    jobs: mpsc::Sender<Outgoing>,
    in_flight: Arc<AtomicUsize>,
    state: watch::Receiver<PublisherState>,
}

impl Publisher {
    /// Starts the tasks that publish and that write confirms down; they stop with `shutdown`. What is then still in the
    /// buffer is left to the relay.
    pub fn start(broker: Arc<dyn Broker>, store: Arc<dyn Protocol>, shutdown: CancellationToken) -> Self {
        let (jobs, inbox) = mpsc::channel(BUFFER);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let state = broker.publisher_state();
        let (confirmed, confirms) = mpsc::unbounded_channel();
        tokio::spawn(shutdown.clone().run_until_cancelled_owned(publish_all(
            inbox,
            broker,
            in_flight.clone(),
            confirmed,
        )));
        tokio::spawn(
            shutdown
                .clone()
                .run_until_cancelled_owned(write_confirms(confirms, store.clone())),
        );
        tokio::spawn(shutdown.run_until_cancelled_owned(republish_lost_lanes(state.clone(), store)));
        Self {
            jobs,
            in_flight,
            state,
        }
    }

    /// Hands jobs over without waiting. Call it after the commit that recorded them.
    pub fn offer(&self, jobs: Vec<Outgoing>) {
        for job in jobs {
            self.in_flight.fetch_add(1, Ordering::Relaxed);
            if self.jobs.try_send(job).is_err() {
                self.in_flight.fetch_sub(1, Ordering::Relaxed);
                counter!("gristmill_publishes_dropped_total").increment(1);
            }
        }
    }

    /// Whether the relay may hand over more: connected, not blocked, and less than half of the buffer in use, so that
    /// the relay never fills the buffer with what it takes off the database while submits come in.
    pub fn has_room(&self) -> bool {
        self.state.borrow().is_connected() && self.in_flight.load(Ordering::Relaxed) < BUFFER / 2
    }

    /// Whether jobs are on their way: room comes as soon as the broker has confirmed some.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.borrow().is_connected() && self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Waits until the publisher is connected and not blocked.
    #[boxed]
    pub async fn connected(&self) {
        let mut state = self.state.clone();
        // The sender lives as long as the broker, which this task's owner holds.
        drop(state.wait_for(PublisherState::is_connected).await);
    }
}

type Confirmed = (Instant, ExecutionId, i32);

async fn publish_all(
    mut inbox: mpsc::Receiver<Outgoing>,
    broker: Arc<dyn Broker>,
    in_flight: Arc<AtomicUsize>,
    confirmed: mpsc::UnboundedSender<Confirmed>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        let jobs = std::mem::take(&mut group);
        let keys: Vec<_> = jobs
            .iter()
            .map(|out| (out.job.execution_id.clone(), out.job.attempt))
            .collect();
        gauge!("gristmill_publisher_in_flight").set(in_flight.load(Ordering::Relaxed) as f64);
        failpoint::reach("publish.begun");
        match broker.publish(jobs).await {
            Ok(outcomes) => {
                failpoint::reach("publish.confirmed");
                note_outcomes(&keys, outcomes, &confirmed);
            }
            Err(error) => {
                counter!("gristmill_publishes_total", "outcome" => "unknown").increment(keys.len() as u64);
                let cause = &error as &dyn std::error::Error;
                // That the connection went down was logged when it did; while it is away every group ends here.
                if matches!(error, Error::Disconnected | Error::Blocked) {
                    debug!(
                        jobs = keys.len(),
                        error = cause,
                        "not published; the relay publishes these later"
                    );
                } else {
                    warn!(
                        jobs = keys.len(),
                        error = cause,
                        "publishing failed; the relay publishes these again"
                    );
                }
            }
        }
        in_flight.fetch_sub(keys.len(), Ordering::Relaxed);
    }
}

fn note_outcomes(
    keys: &[(ExecutionId, i32)],
    outcomes: Vec<Published>,
    confirmed: &mpsc::UnboundedSender<Confirmed>,
) {
    let now = Instant::now();
    let mut counts = [0_u64; 3];
    for ((id, attempt), outcome) in keys.iter().zip(outcomes) {
        match outcome {
            Published::Confirmed => {
                counts[0] += 1;
                // The receiver ends only with the process; then the relay publishes again.
                drop(confirmed.send((now, id.clone(), *attempt)));
            }
            Published::Unroutable => counts[1] += 1,
            Published::Refused => counts[2] += 1,
        }
    }
    for (outcome, count) in ["confirmed", "unroutable", "refused"].into_iter().zip(counts) {
        counter!("gristmill_publishes_total", "outcome" => outcome).increment(count);
    }
    if counts[1] + counts[2] > 0 {
        warn!(
            unroutable = counts[1],
            refused = counts[2],
            "the broker did not take some jobs; the relay publishes them again"
        );
    }
}

/// Writes confirms down in bulk, some seconds late. A confirm that is never written (the process dies first) costs one
/// doubled job after the relay's `publish_within`, which claims nothing.
async fn write_confirms(mut confirms: mpsc::UnboundedReceiver<Confirmed>, store: Arc<dyn Protocol>) {
    let mut waiting = VecDeque::new();
    let mut tick = tokio::time::interval(CONFIRM_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        while let Ok(confirm) = confirms.try_recv() {
            waiting.push_back(confirm);
        }
        let due = waiting.partition_point(|(at, ..): &Confirmed| at.elapsed() >= CONFIRM_AFTER);
        let jobs: Vec<_> = waiting
            .drain(..due)
            .map(|(_, id, attempt)| (id, attempt))
            .collect();
        if jobs.is_empty() {
            continue;
        }
        if let Err(error) = store.confirm(System, &jobs).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "confirms were not written; the relay publishes these jobs again"
            );
        }
    }
}

/// When the broker came back without a lane's queue, every job that waited in it is gone: the lane's rows are due now.
async fn republish_lost_lanes(mut state: watch::Receiver<PublisherState>, store: Arc<dyn Protocol>) {
    // Nothing counts as handled at first: the queues may have been lost while no process was running.
    let mut handled = BTreeMap::new();
    loop {
        let created = state.borrow_and_update().created.clone();
        for (lane, times) in &created {
            if handled.get(lane) != Some(times) {
                unpublish(lane, &*store).await;
            }
        }
        handled = created;
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// As often as it takes: nothing else would notice before the rows' own `wake_at`, minutes later.
async fn unpublish(lane: &str, store: &dyn Protocol) {
    loop {
        match store.unpublish_lane(System, lane).await {
            Ok(rows) => {
                if rows > 0 {
                    warn!(
                        lane,
                        rows, "the lane's queue was missing; its jobs are published again"
                    );
                }
                return;
            }
            Err(error) => {
                warn!(
                    lane,
                    error = &error as &dyn std::error::Error,
                    "the lane's jobs are not yet marked as unpublished"
                );
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
