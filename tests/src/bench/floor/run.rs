//! A closed loop over the floor's own statements and queue: both sides of it in this one process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::StreamExt;
use gristmill_bench::Show;
use gristmill_core::{ExecutionId, Job, OrganizationId};
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::Options;
use super::queue::{Publisher, Queue, failed};
use super::statements::Statements;
use crate::bench::Error;

/// Everything that an execution passes through.
pub(super) struct Floor {
    shared: Arc<Shared>,
    _consuming: AbortOnDropHandle<()>,
}

struct Shared {
    statements: Statements,
    publisher: Publisher,
    organization: OrganizationId,
    /// Whoever waits for an execution's end.
    waiting: Mutex<HashMap<ExecutionId, oneshot::Sender<Result<(), Error>>>>,
}

impl Floor {
    pub(super) async fn start(statements: Statements, queue: &Queue) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            statements,
            publisher: queue.publisher().await?,
            organization: OrganizationId::new(),
            waiting: Mutex::default(),
        });
        let mut deliveries = queue.consumer().await?;
        let running = shared.clone();
        let consuming = tokio::spawn(async move {
            while let Some(Ok(delivery)) = deliveries.next().await {
                let shared = running.clone();
                tokio::spawn(async move { shared.take(delivery).await });
            }
        });
        Ok(Self {
            shared,
            _consuming: AbortOnDropHandle::new(consuming),
        })
    }

    /// Runs all, and answers with how long each took, in milliseconds.
    pub(super) async fn drive(&self, options: &Options, show: &Arc<dyn Show>) -> Result<Vec<f64>, Error> {
        let next = Arc::new(AtomicU64::new(0));
        let executions = options.executions;
        let mut turns = JoinSet::new();
        for _ in 0..options.in_flight {
            let (next, show, shared) = (next.clone(), show.clone(), self.shared.clone());
            turns.spawn(async move {
                let mut times = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < executions {
                    let began = Instant::now();
                    shared.execute().await?;
                    times.push(began.elapsed().as_secs_f64() * 1_000.0);
                    show.ended(true);
                }
                Ok::<_, Error>(times)
            });
        }
        let mut times = Vec::new();
        while let Some(turn) = turns.join_next().await {
            times.extend(turn.map_err(Error::Part)??);
        }
        Ok(times)
    }
}

impl Shared {
    /// What a submit does, and the wait for the end.
    async fn execute(&self) -> Result<(), Error> {
        let id = ExecutionId::new();
        self.statements.insert(id.as_str()).await?;
        let (end, ended) = oneshot::channel();
        self.waiting().insert(id.clone(), end);
        let job = Job {
            execution_id: id,
            organization_id: self.organization.clone(),
            attempt: 0,
        };
        self.publisher.publish(job.to_bytes()).await?;
        ended.await.map_err(|_| Error::Message)?
    }

    /// What a worker does.
    async fn take(&self, delivery: Delivery) {
        let Ok(job) = Job::from_bytes(&delivery.data) else {
            return;
        };
        let id = job.execution_id;
        let done = self.run(&id, delivery).await;
        let waiting = self.waiting().remove(&id);
        if let Some(end) = waiting {
            // Whoever waited may have been told to stop.
            drop(end.send(done));
        }
    }

    async fn run(&self, id: &ExecutionId, delivery: Delivery) -> Result<(), Error> {
        self.statements.start(id.as_str()).await?;
        delivery
            .ack(BasicAckOptions::default())
            .await
            .map_err(failed("acknowledging"))?;
        self.statements.complete(id.as_str()).await
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, oneshot::Sender<Result<(), Error>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
