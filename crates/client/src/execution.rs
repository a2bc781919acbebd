//! Execution: executions as the API shows them.

use chrono::{DateTime, Utc};
use gristmill_core::journal::NodeError;
use gristmill_core::{ExecutionError, ExecutionId, ExecutionStatus, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An execution.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// What it runs.
    pub workflow_id: WorkflowId,
    /// Which revision of that.
    pub revision: i32,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// How often a worker has claimed it.
    pub attempt: i32,
    /// While it waits: `graph`, `start`, `paused` or `worker`.
    pub waits_for: Option<String>,
    /// While it waits: until when at the latest; `None` when only a message wakes it.
    pub wake_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<ExecutionError>,
    /// How many node runs ended well.
    pub nodes_executed: i32,
    /// By AI agents.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
    /// From the first claim to the end, in milliseconds.
    pub duration: Option<i64>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it fails as `timeout`.
    #[serde(default)]
    pub deadline: Option<DateTime<Utc>>,
    /// The execution that waits for this one.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// The first of those that this one waits for, or waited for.
    #[serde(default)]
    pub children: Vec<Child>,
    /// What it was started with; `None` in a summary.
    #[serde(default)]
    pub input: Option<Value>,
    /// What it ended with.
    #[serde(default)]
    pub output: Option<Value>,
    /// What happened, for people.
    #[serde(default)]
    pub logs: Vec<LogEntry>,
    /// Whether the journal goes on where `logs` ends.
    #[serde(default)]
    pub logs_truncated: bool,
    /// What this version of the client does not know.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// The execution that waits for another one, and which of its node runs does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub id: ExecutionId,
    /// The node run.
    pub path: String,
}

/// An execution that another one waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// Its id.
    pub id: ExecutionId,
    /// What it runs.
    pub workflow_id: WorkflowId,
    /// The node run that waits for it.
    pub path: String,
    /// Where it stands.
    pub status: ExecutionStatus,
}

/// One line of an execution's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The node's id.
    pub node_id: String,
    /// The node run, where it is not the only one of its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The node's label.
    pub node_name: String,
    /// `RUNNING`, `WAITING`, `COMPLETED`, `RETRYING`, `FAILED`, `SKIPPED`, `DISABLED` or `ABORTED`.
    pub status: String,
    /// When.
    pub timestamp: DateTime<Utc>,
    /// What happened, for people.
    pub message: String,
    /// A completed node's output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
    /// Why a node failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) execution: Execution,
}
