//! Backlog: the background task that measures how far workers and relays are behind.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_store::{Protocol, System};
use metrics::gauge;
use tokio_util::sync::CancellationToken;

use crate::task::{Failure, Next, Pace, Task};

/// Sets the gauges of what waits.
pub struct BacklogGauge {
    store: Arc<dyn Protocol>,
}

const INTERVAL: Duration = Duration::from_secs(5);

impl BacklogGauge {
    /// Of what `store` has.
    pub fn new(store: Arc<dyn Protocol>) -> Self {
        Self { store }
    }

    async fn measure(&self) -> Result<Next, Failure> {
        let backlog = self.store.backlog(System).await?;
        gauge!("gristmill_queue_age_seconds").set(backlog.oldest_pending.as_secs_f64());
        gauge!("gristmill_relay_lag_seconds").set(backlog.relay_lag.as_secs_f64());
        Ok(Next::Later)
    }
}

impl Task for BacklogGauge {
    fn name(&self) -> &'static str {
        "backlog"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.measure().boxed()
    }
}
