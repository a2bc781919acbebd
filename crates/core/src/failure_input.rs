//! Failure input: what a workflow that handles failures (`onFailure`) is started with.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ExecutionError, ExecutionId, WorkflowId};

/// The input of an execution that handles another one's failure. The transaction of the failure makes it: there a statement
/// writes it, and a test holds the statement to this type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureInput {
    /// The execution that failed.
    pub failed: FailedExecution,
}

/// An execution that failed, as its handler sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedExecution {
    /// Which.
    pub id: ExecutionId,
    /// What it ran.
    pub workflow_id: WorkflowId,
    /// Which revision of that.
    pub revision: i32,
    /// Why it failed.
    pub error: ExecutionError,
    /// What it was started with.
    pub input: Map<String, Value>,
}
