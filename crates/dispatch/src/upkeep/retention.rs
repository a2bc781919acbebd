//! Retention: the background task that deletes what ended long enough ago. Processes share the work by skipping each
//! other's locked rows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_store::{Protocol, Retention, System};
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::task::{Failure, Next, Pace, Task};

/// What is kept, and how the rest is deleted.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// How long ended executions are kept, where their workflow does not say.
    pub retention: Retention,
    /// How often to look.
    pub interval: Duration,
    /// How many executions one transaction deletes.
    pub batch: i64,
}

/// Deletes executions that were kept for long enough, with their journals, inboxes and idempotency keys.
pub struct Pruner {
    store: Arc<dyn Protocol>,
    options: PruneOptions,
}

/// The pause between two batches: writers that queue for SQLite's one connection, or for a busy disk, get their turn.
const BREATH: Duration = Duration::from_millis(50);

impl Pruner {
    /// Of what `store` keeps.
    pub fn new(store: Arc<dyn Protocol>, options: PruneOptions) -> Self {
        Self { store, options }
    }

    /// One batch.
    async fn prune(&self) -> Result<Next, Failure> {
        let PruneOptions { retention, batch, .. } = &self.options;
        let pruned = self.store.prune(System, retention, *batch).await?;
        counter!("gristmill_executions_pruned_total").increment(pruned);
        if pruned > 0 {
            debug!(executions = pruned, "pruned");
        }
        Ok(if pruned >= batch.unsigned_abs() {
            Next::Again(BREATH)
        } else {
            Next::Later
        })
    }
}

impl Task for Pruner {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(self.options.interval)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.prune().boxed()
    }
}
