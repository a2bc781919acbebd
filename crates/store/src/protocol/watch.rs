//! Watch: how executions stand, for whoever only looks.

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};
use uuid::Uuid;

/// How an execution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Which execution.
    pub id: ExecutionId,
    /// Its status.
    pub status: ExecutionStatus,
    /// Its fencing token.
    pub attempt: i32,
    /// The token of the last claim.
    pub claim_token: Option<Uuid>,
    /// How many messages have arrived.
    pub inbox: i32,
    /// How many journal entries there are.
    pub journal_len: i32,
}

/// How an execution ended: everything about it but its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which execution.
    pub id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// A terminal status.
    pub status: ExecutionStatus,
    /// How often a worker has claimed it.
    pub attempt: i32,
    /// A [`gristmill_core::ExecutionError`], as serialized, when FAILED.
    pub error: Option<String>,
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// Model tokens.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed; one that was cancelled before has no such time.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; there for every terminal status.
    pub completed_at: Option<DateTime<Utc>>,
}
