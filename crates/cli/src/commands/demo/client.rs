//! The demo as a producer service: it knows nothing but the API's URL and a key.

use chrono::{DateTime, Utc};
use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionError, ExecutionId, ExecutionStatus, WorkflowId};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::embedded::Access;
use crate::error::Error;

/// A client of the API. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// An execution, as far as the demo looks at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub id: ExecutionId,
    pub status: ExecutionStatus,
    pub error: Option<ExecutionError>,
    pub nodes_executed: i32,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct WorkflowBody {
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    id: WorkflowId,
}

#[derive(Deserialize)]
struct ExecutionBody {
    execution: Execution,
}

#[derive(Deserialize)]
struct JournalBody {
    entries: Vec<Entry>,
}

impl Client {
    pub fn new(access: &Access) -> Self {
        let base = format!("http://{}/api/v1/ai-hub", access.address);
        Self {
            http: reqwest::Client::new(),
            base,
            key: access.key.clone(),
        }
    }

    /// Stores a workflow.
    pub async fn create_workflow(&self, definition: &Map<String, Value>) -> Result<WorkflowId, Error> {
        let request = self.request(Method::POST, "/workflows").json(definition);
        let body: WorkflowBody = answer("storing a workflow", request).await?;
        Ok(body.workflow.id)
    }

    /// Submits one execution. `record` is a JSON object as text; the key makes a repeat harmless.
    pub async fn execute(
        &self,
        workflow: &WorkflowId,
        record: &str,
        key: &str,
    ) -> Result<ExecutionId, Error> {
        let request = self
            .request(Method::POST, &format!("/workflows/{workflow}/execute"))
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json")
            .body(format!(r#"{{"input":{record}}}"#));
        let body: ExecutionBody = answer("submitting an execution", request).await?;
        Ok(body.execution.id)
    }

    /// How an execution stands.
    pub async fn execution(&self, id: &ExecutionId) -> Result<Execution, Error> {
        let body: ExecutionBody = answer(
            "reading an execution",
            self.request(Method::GET, &format!("/executions/{id}")),
        )
        .await?;
        Ok(body.execution)
    }

    /// The first page of an execution's journal.
    pub async fn journal(&self, id: &ExecutionId) -> Result<Vec<Entry>, Error> {
        let request = self.request(Method::GET, &format!("/executions/{id}/journal"));
        let body: JournalBody = answer("reading a journal", request).await?;
        Ok(body.entries)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.key)
    }
}

async fn answer<T: DeserializeOwned>(doing: &'static str, request: RequestBuilder) -> Result<T, Error> {
    let failed = |source| Error::Http { doing, source };
    let response = request.send().await.map_err(failed)?;
    let status: StatusCode = response.status();
    if !status.is_success() {
        let body = response.text().await.map_err(failed)?;
        return Err(Error::Refused { doing, status, body });
    }
    response.json().await.map_err(failed)
}
