//! Figures: the background task that adds ended executions to those of their workflows. One process at a time counts.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_store::{Protocol, System};
use metrics::counter;
use tokio_util::sync::CancellationToken;

use crate::task::{Failure, Next, Pace, Task};

/// Counts the ends that were noted.
pub struct StatsAggregator {
    store: Arc<dyn Protocol>,
}

/// With what a look takes, an end is counted within five seconds, unless looks take long.
const INTERVAL: Duration = Duration::from_secs(2);

/// How many ends one transaction counts.
const BATCH: i64 = 10_000;

impl StatsAggregator {
    /// Of what `store` has noted.
    pub fn new(store: Arc<dyn Protocol>) -> Self {
        Self { store }
    }

    async fn count(&self) -> Result<Next, Failure> {
        let counted = self.store.count_ends(System, BATCH).await?;
        counter!("gristmill_executions_counted_total").increment(counted);
        Ok(Next::again_if(counted >= BATCH.unsigned_abs()))
    }
}

impl Task for StatsAggregator {
    fn name(&self) -> &'static str {
        "stats"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.count().boxed()
    }
}
