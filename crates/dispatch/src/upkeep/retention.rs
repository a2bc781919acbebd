//! Retention: the background task that deletes what ended long enough ago. Every process runs one; they share the work by
//! skipping each other's locked rows.

use std::sync::Arc;
use std::time::Duration;

use gristmill_store::{Protocol, Retention, System};
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

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
    /// A pruner that has not begun.
    pub fn new(store: Arc<dyn Protocol>, options: PruneOptions) -> Self {
        Self { store, options }
    }

    /// Works until `shutdown`. A batch under way is carried to its end.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = if self.prune().await {
                BREATH
            } else {
                // Processes that were started together need not look together.
                self.options.interval.mul_f64(0.75 + fastrand::f64() / 2.0)
            };
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// One batch. Answers whether there may be more.
    async fn prune(&self) -> bool {
        let PruneOptions { retention, batch, .. } = &self.options;
        match self.store.prune(System, retention, *batch).await {
            Ok(pruned) => {
                counter!("gristmill_executions_pruned_total").increment(pruned);
                if pruned > 0 {
                    debug!(executions = pruned, "pruned");
                }
                pruned >= batch.unsigned_abs()
            }
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "ended executions could not be pruned"
                );
                false
            }
        }
    }
}
