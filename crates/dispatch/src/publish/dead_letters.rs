//! The dead-letter queue: what it holds is either an execution that still waits, which is counted as a loss and
//! published again, or nothing that anybody waits for.

use std::sync::Arc;

use gristmill_core::Job;
use gristmill_queue::{Broker, Delivery};
use gristmill_store::{DeadLetter, Protocol, System};
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{MAX_LOSSES, lost_error};

/// Reads the dead-letter queue.
pub struct DeadLetters {
    store: Arc<dyn Protocol>,
    broker: Arc<dyn Broker>,
}

/// How many dead letters are on their way at a time.
const PREFETCH: u16 = 64;

impl DeadLetters {
    /// A reader of `broker`'s dead letters.
    pub fn new(store: Arc<dyn Protocol>, broker: Arc<dyn Broker>) -> Self {
        Self { store, broker }
    }

    /// Works until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.read_all()).await;
    }

    async fn read_all(self) {
        let mut subscription = match self.broker.dead_letters(PREFETCH) {
            Ok(subscription) => subscription,
            Err(error) => {
                error!(
                    error = &error as &dyn std::error::Error,
                    "dead letters cannot be read"
                );
                return;
            }
        };
        while let Some(delivery) = subscription.next().await {
            match Job::from_bytes(&delivery.body) {
                Ok(job) => self.count(job, delivery).await,
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
    }

    /// Acknowledges only after the commit: a dead letter that this process dies on is read again by the next.
    async fn count(&self, job: Job, delivery: Delivery) {
        let key = [(job.execution_id.clone(), job.attempt)];
        loop {
            match self
                .store
                .count_dead_letters(System, &key, MAX_LOSSES, &lost_error())
                .await
            {
                Ok(outcomes) => {
                    let outcome = match outcomes.first() {
                        Some(DeadLetter::Retried) => "retried",
                        Some(DeadLetter::Failed) => "failed",
                        Some(DeadLetter::Stale) => "stale",
                        Some(DeadLetter::Unknown) | None => "unknown",
                    };
                    counter!("gristmill_dead_letters_total", "outcome" => outcome).increment(1);
                    warn!(execution.id = %job.execution_id, attempt = job.attempt, outcome, "a dead letter");
                    delivery.ack().await;
                    return;
                }
                Err(error) => {
                    warn!(execution.id = %job.execution_id, error = &error as &dyn std::error::Error, "a dead letter could not be counted yet");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}

/// How long a dead letter waits for a database that is away.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(2);
