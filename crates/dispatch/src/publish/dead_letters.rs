//! The dead-letter queue: what it holds is either an execution that still waits, which is counted as a loss and
//! published again, or nothing that anybody waits for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use gristmill_core::Job;
use gristmill_queue::{Broker, Delivery, Subscription};
use gristmill_store::{DeadLetter, Protocol, System};
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::task::{Failure, Next, Pace, Task};
use crate::{MAX_LOSSES, lost_error};

/// Reads the dead-letter queue.
pub struct DeadLetters {
    store: Arc<dyn Protocol>,
    broker: Arc<dyn Broker>,
    /// From the first run on.
    subscription: Option<Box<dyn Subscription>>,
    /// What has come and is not counted yet.
    next: Option<Delivery>,
}

/// How many dead letters are on their way at a time, and the most that one run reads.
const PREFETCH: u16 = 64;

/// Dead letters wake the task: a run by the clock is a sign of life.
const INTERVAL: Duration = Duration::from_secs(60);

impl DeadLetters {
    /// A reader of `broker`'s dead letters.
    pub fn new(store: Arc<dyn Protocol>, broker: Arc<dyn Broker>) -> Self {
        Self {
            store,
            broker,
            subscription: None,
            next: None,
        }
    }

    /// Settles what has come.
    async fn read(&mut self, stop: &CancellationToken) -> Result<Next, Failure> {
        for _ in 0..PREFETCH {
            if self.next.is_none() {
                self.next = self.subscription()?.next().now_or_never().flatten();
            }
            let Some(delivery) = self.next.take().filter(|_| !stop.is_cancelled()) else {
                return Ok(Next::Later);
            };
            match Job::from_bytes(&delivery.body) {
                Ok(job) => match count(&*self.store, &job).await {
                    // Acknowledged only after the commit: a dead letter that this process dies on is read again by the next.
                    Ok(()) => delivery.ack().await,
                    Err(error) => {
                        self.next = Some(delivery);
                        return Err(error.into());
                    }
                },
                Err(error) => {
                    counter!("gristmill_dead_letters_total", "outcome" => "unreadable").increment(1);
                    error!(
                        error = &error as &dyn std::error::Error,
                        "an unreadable message is parked"
                    );
                    delivery.reject().await;
                }
            }
        }
        Ok(Next::Again(Duration::ZERO))
    }

    fn subscription(&mut self) -> Result<&mut Box<dyn Subscription>, Failure> {
        match &mut self.subscription {
            Some(subscription) => Ok(subscription),
            none => Ok(none.insert(self.broker.dead_letters(PREFETCH)?)),
        }
    }
}

impl Task for DeadLetters {
    fn name(&self) -> &'static str {
        "dead_letters"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.read(stop).boxed()
    }

    fn woken(&mut self) -> BoxFuture<'_, ()> {
        async {
            // Without a subscription, or with one that was closed, nothing comes.
            let next = match &mut self.subscription {
                Some(subscription) => subscription.next().await,
                None => None,
            };
            match next {
                Some(delivery) => self.next = Some(delivery),
                None => pending().await,
            }
        }
        .boxed()
    }
}

async fn count(store: &dyn Protocol, job: &Job) -> Result<(), gristmill_store::Error> {
    let key = [(job.execution_id.clone(), job.attempt)];
    let outcomes = store
        .count_dead_letters(System, &key, MAX_LOSSES, &lost_error())
        .await?;
    let outcome = match outcomes.first() {
        Some(DeadLetter::Retried) => "retried",
        Some(DeadLetter::Failed) => "failed",
        Some(DeadLetter::Stale) => "stale",
        Some(DeadLetter::Unknown) | None => "unknown",
    };
    counter!("gristmill_dead_letters_total", "outcome" => outcome).increment(1);
    warn!(execution.id = %job.execution_id, attempt = job.attempt, outcome, "a dead letter");
    Ok(())
}
