//! Submit: what to run.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_core::WorkflowId;
use reqwest::Method;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::call::Call;
use crate::error::Error;

/// An execution that is asked for.
#[derive(Debug, Clone)]
pub struct Submit {
    workflow: WorkflowId,
    key: String,
    body: Body,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    input: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

impl Submit {
    /// A run of a workflow's newest revision with this input, which has to be a JSON object; at once, under an idempotency
    /// key of its own.
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn new(workflow: WorkflowId, input: &impl Serialize) -> Result<Self, Error> {
        let input = to_raw_value(input).map_err(Error::Body)?;
        Ok(Self {
            workflow,
            key: Uuid::new_v4().to_string(),
            body: Body {
                input,
                run_at: None,
                delay_ms: None,
                tags: Vec::new(),
                metadata: None,
            },
        })
    }

    /// Under the producer's own idempotency key: whatever names the event that this run is for. Then even a producer that
    /// was started again in between does not submit it twice.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn run_at(mut self, time: DateTime<Utc>) -> Self {
        self.body.run_at = Some(time);
        self.body.delay_ms = None;
        self
    }

    /// Not before so long from now, by the API's clock.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.body.delay_ms = Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self.body.run_at = None;
        self
    }

    /// With one more tag, by which lists of executions find it.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.body.tags.push(tag.into());
        self
    }

    /// With the producer's own object, which is kept and shown with the execution.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn metadata(mut self, metadata: &impl Serialize) -> Result<Self, Error> {
        self.body.metadata = Some(to_raw_value(metadata).map_err(Error::Body)?);
        Ok(self)
    }

    /// As a call, for whoever wants the whole answer.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn call(&self) -> Result<Call, Error> {
        let path = ["workflows", self.workflow.as_str(), "execute"];
        let call = Call::new(Method::POST, path).idempotency_key(&self.key);
        call.body(&self.body)
    }
}
