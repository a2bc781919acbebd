//! Resume: the background task that starts what waits for a workflow that is not paused any more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_store::{Protocol, System};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::relay::RelayWakeup;
use crate::task::{Failure, Next, Pace, Task, Wakeup};

/// Starts what waited for its paused workflow.
pub struct PauseResume {
    store: Arc<dyn Protocol>,
    wakeup: Wakeup,
    relay: RelayWakeup,
}

const INTERVAL: Duration = Duration::from_secs(2);

/// How many executions one statement starts.
const BATCH: i64 = 500;

impl PauseResume {
    /// Woken by `wakeup` when a workflow was resumed; wakes the relay for what it made due.
    pub fn new(store: Arc<dyn Protocol>, wakeup: Wakeup, relay: RelayWakeup) -> Self {
        Self { store, wakeup, relay }
    }

    async fn resume(&self) -> Result<Next, Failure> {
        let resumed = self.store.resume_paused(System, BATCH).await?;
        if resumed > 0 {
            debug!(executions = resumed, "started what waited for paused workflows");
            self.relay.wake();
        }
        Ok(Next::again_if(resumed >= BATCH.unsigned_abs()))
    }
}

impl Task for PauseResume {
    fn name(&self) -> &'static str {
        "resume_paused"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.resume().boxed()
    }

    fn woken(&mut self) -> BoxFuture<'_, ()> {
        self.wakeup.woken().boxed()
    }
}
