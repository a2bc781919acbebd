//! Figures: the background task that counts ended executions. Every process runs one; one at a time counts.

use std::sync::Arc;
use std::time::Duration;

use gristmill_store::{Protocol, System};
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::task::paced;

/// Counts the ends that were noted.
pub struct Counter {
    store: Arc<dyn Protocol>,
}

/// How often to look: with what a look takes, an end is counted within five seconds, unless looks take long.
const INTERVAL: Duration = Duration::from_secs(2);

/// How many ends one transaction counts; when there were that many, it looks again at once.
const BATCH: i64 = 10_000;

impl Counter {
    /// A counter that has not begun.
    pub fn new(store: Arc<dyn Protocol>) -> Self {
        Self { store }
    }

    /// Works until `shutdown`. A batch under way is carried to its end.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let began = Instant::now();
            if !self.count().await {
                let pause = tokio::time::sleep(paced(INTERVAL, began.elapsed()));
                shutdown.run_until_cancelled(pause).await;
            }
        }
    }

    /// One batch. Answers whether there may be more.
    async fn count(&self) -> bool {
        match self.store.count_ends(System, BATCH).await {
            Ok(counted) => {
                counter!("gristmill_executions_counted_total").increment(counted);
                counted >= BATCH.unsigned_abs()
            }
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "ended executions could not be counted"
                );
                false
            }
        }
    }
}
