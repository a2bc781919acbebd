//! Removal: the background task that removes deleted workflows when no execution is left of them. What it does may be done
//! twice.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_store::{Store, System};
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::is_away;
use crate::task::{Failure, Next, Pace, Task};

/// Removes what is left of deleted workflows.
pub struct WorkflowRemoval {
    store: Store,
}

const INTERVAL: Duration = Duration::from_secs(60);

/// For how long one run removes.
const REMOVING: Duration = Duration::from_secs(2);

/// The pause when there was no time for more: what is removed is read from the disk.
const BREATH: Duration = Duration::from_secs(2);

/// How many deleted workflows one run removes.
const WORKFLOWS: i64 = 100;

impl WorkflowRemoval {
    /// Of what `store` has.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Removes deleted workflows a part at a time.
    async fn remove(&self, stop: &CancellationToken) -> Result<Next, Failure> {
        let began = Instant::now();
        let mut bare = self.store.bare_workflows(System, WORKFLOWS).await?;
        // One that fails, or takes all of the time, is not the first one each time.
        fastrand::shuffle(&mut bare);
        let mut failed = false;
        for id in bare {
            loop {
                if stop.is_cancelled() || began.elapsed() > REMOVING {
                    // What fails is not tried again at once.
                    return Ok(if failed { Next::Later } else { Next::Again(BREATH) });
                }
                match self.store.remove_part_of_deleted_workflow(System, &id).await {
                    Ok(false) => {}
                    Ok(true) => {
                        counter!("gristmill_workflows_removed_total").increment(1);
                        break;
                    }
                    Err(error) if !is_away(&error) => {
                        failed = true;
                        warn!(
                            workflow.id = %id,
                            error = &error as &dyn std::error::Error,
                            "a deleted workflow could not be removed"
                        );
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(Next::Later)
    }
}

impl Task for WorkflowRemoval {
    fn name(&self) -> &'static str {
        "remove_workflows"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.remove(stop).boxed()
    }
}
