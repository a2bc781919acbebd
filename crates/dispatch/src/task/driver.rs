//! Driver: the one loop that background tasks run in.

use gristmill_core::boxed;
use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::record::{self, Outcome};
use super::{Next, Task};

/// Runs a task, from now on and until `shutdown`. A run under way is carried to its end, a pause ends at once. Neither a run
/// that fails nor one that panics ends it.
#[boxed]
pub async fn drive(mut task: Box<dyn Task>, shutdown: CancellationToken) {
    let (name, pace) = (task.name(), task.pace());
    record::begin(name);
    let mut failures = 0_u32;
    while !shutdown.is_cancelled() {
        let began = Instant::now();
        let ran = run(&mut *task, &shutdown).await;
        let took = began.elapsed();
        record::ended(name, ran.outcome(), took);
        failures = match ran {
            Ran::Well(_) => 0,
            Ran::Badly(_) => failures.saturating_add(1),
        };
        let pause = async {
            match ran {
                Ran::Well(Next::Again(pause)) => sleep(pause).await,
                Ran::Well(Next::Later) => {
                    tokio::select! {
                        () = sleep(pace.after(took, fastrand::f64())) => {}
                        () = task.woken() => {}
                    }
                }
                // Whoever wakes it is heard afterwards: what fails is not to fail as often as it is woken.
                Ran::Badly(_) => sleep(pace.after_failure(failures)).await,
            }
        };
        shutdown.run_until_cancelled(pause).await;
    }
}

/// How a run went.
#[derive(Debug, Clone, Copy)]
enum Ran {
    Well(Next),
    Badly(Outcome),
}

impl Ran {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Well(Next::Later) => Outcome::Done,
            Self::Well(Next::Again(_)) => Outcome::More,
            Self::Badly(outcome) => outcome,
        }
    }
}

/// One run. What a panic leaves half done is the task's own, and the next run looks at everything anew.
async fn run(task: &mut dyn Task, shutdown: &CancellationToken) -> Ran {
    let name = task.name();
    let run = AssertUnwindSafe(async { task.run(shutdown).await });
    match run.catch_unwind().await {
        Ok(Ok(next)) => Ran::Well(next),
        Ok(Err(failure)) => {
            warn!(
                task = name,
                error = &*failure as &dyn std::error::Error,
                "a background task failed, and runs again"
            );
            Ran::Badly(Outcome::Failed)
        }
        Err(panic) => {
            error!(
                task = name,
                panic = reason(&*panic),
                "a background task panicked, and runs again"
            );
            Ran::Badly(Outcome::Panicked)
        }
    }
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
