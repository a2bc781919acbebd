//! A closed loop: so many producers, each of which submits an execution, waits for its end, and submits the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_core::ExecutionStatus;
use hyper::header::HeaderValue;
use serde::Deserialize;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::http::{Connection, Target};
use crate::workflow::{input, reference};
use crate::{Error, Show};

/// How much is submitted.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many executions.
    pub executions: u64,
    /// How many at a time.
    pub in_flight: u64,
}

/// Whoever submits executions of the reference workflow.
pub struct Producer {
    target: Target,
    path: Arc<str>,
}

/// An execution that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Whether it ended COMPLETED.
    pub completed: bool,
    /// By the database's clock.
    pub created_at: DateTime<Utc>,
    /// By the database's clock.
    pub completed_at: DateTime<Utc>,
    /// From the submit to the answer that it has ended.
    pub answered_after: Duration,
}

#[derive(Deserialize)]
struct WorkflowBody {
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    id: String,
}

#[derive(Deserialize)]
struct ExecutionBody {
    execution: Execution,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    id: String,
    status: ExecutionStatus,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

const PREFER: HeaderValue = HeaderValue::from_static("wait=30, return=minimal");

/// The pause between looks at an execution that had not ended when the API stopped waiting.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Producer {
    /// Stores the reference workflow.
    ///
    /// # Errors
    /// When the API does not take it.
    pub async fn new(target: &Target) -> Result<Self, Error> {
        let body = Connection::open(target)
            .await?
            .post(
                "storing the workflow",
                "/workflows",
                None,
                reference().to_string(),
            )
            .await?;
        let body: WorkflowBody = serde_json::from_slice(&body).map_err(Error::Answer)?;
        Ok(Self {
            target: target.clone(),
            path: format!("/workflows/{}/execute", body.workflow.id).into(),
        })
    }

    /// Submits all and waits for all. Connections are opened before the first submit.
    ///
    /// # Errors
    /// When the API refuses one, or does not answer.
    pub async fn drive(&self, load: Load, show: &Arc<dyn Show>) -> Result<Vec<Ended>, Error> {
        let next = Arc::new(AtomicU64::new(0));
        let in_flight = usize::try_from(load.in_flight.min(load.executions)).unwrap_or(usize::MAX);
        let everyone = Arc::new(Barrier::new(in_flight));
        let mut turns = JoinSet::new();
        for _ in 0..in_flight {
            let mut connection = Connection::open(&self.target).await?;
            let (next, everyone) = (next.clone(), everyone.clone());
            let (path, show) = (self.path.clone(), show.clone());
            turns.spawn(async move {
                everyone.wait().await;
                let mut all = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= load.executions {
                        return Ok::<_, Error>(all);
                    }
                    let ended = execute(&mut connection, &path, number).await?;
                    show.ended(ended.completed);
                    all.push(ended);
                }
            });
        }
        let mut all = Vec::new();
        while let Some(turn) = turns.join_next().await {
            all.extend(turn.map_err(Error::Part)??);
        }
        Ok(all)
    }
}

/// Submits one, and waits for its end.
async fn execute(connection: &mut Connection, path: &str, number: u64) -> Result<Ended, Error> {
    let began = Instant::now();
    let body = format!(r#"{{"input":{}}}"#, input(number));
    let answer = connection
        .post("submitting an execution", path, Some(PREFER), body)
        .await?;
    let mut execution = read(&answer)?;
    loop {
        if let Some(completed_at) = execution.completed_at {
            return Ok(Ended {
                completed: execution.status == ExecutionStatus::Completed,
                created_at: execution.created_at,
                completed_at,
                answered_after: began.elapsed(),
            });
        }
        sleep(LOOK_EVERY).await;
        let path = format!("/executions/{}", execution.id);
        execution = read(&connection.get("reading an execution", &path).await?)?;
    }
}

fn read(body: &[u8]) -> Result<Execution, Error> {
    let body: ExecutionBody = serde_json::from_slice(body).map_err(Error::Answer)?;
    Ok(body.execution)
}
