//! Error: why an execution failed, as it is stored and shown.

use serde::{Deserialize, Serialize};

/// The error of a FAILED execution. Stored as JSON in `executions.error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionError {
    /// Stable, for programs: the failed node's own code, `timeout`, `worker_lost`, ….
    pub code: String,
    /// For people: what happened, and what to do where that is known.
    pub message: String,
    /// The node that failed, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// The node run that failed: equal to `node_id` outside of `forEach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl ExecutionError {
    /// An error that no single node is to blame for.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            node_id: None,
            path: None,
        }
    }
}
