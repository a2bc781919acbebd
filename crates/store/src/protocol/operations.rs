//! What operators and workflows do with whole executions.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};

use super::Accepted;
use crate::Reached;

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// CANCELLED, it and what was unfinished below it: so many executions.
    Yes(usize),
    /// It was CANCELLED before.
    Already,
    /// It has ended otherwise: nothing was changed.
    Ended(ExecutionStatus),
    /// The tenant has no such execution.
    Unknown,
}

/// What became of an operator's retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// PENDING.
    Yes,
    /// Its workflow is deleted: nothing was changed.
    DeletedWorkflow,
    /// It is not FAILED: nothing was changed.
    NotFailed(ExecutionStatus),
    /// The tenant has no such execution.
    Unknown,
}

/// A request for an execution with the input of an earlier one.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Made by the caller, so that it is known before the commit.
    pub id: ExecutionId,
    /// The earlier one.
    pub original: ExecutionId,
    /// `None` = the revision, lane and timeout of the earlier one. Otherwise the newest revision, which must be this one:
    /// it is the one that the caller has checked the input against.
    pub newest: Option<i32>,
    /// The caller's key against doubles.
    pub idempotency_key: Option<String>,
    /// A hash of everything that must be equal when the key is.
    pub request_hash: String,
    /// How many executions the organization may have in this month; `None` = as many as it likes.
    pub monthly_limit: Option<u32>,
}

/// What became of a [`Replay`].
#[derive(Debug, Clone, PartialEq)]
pub enum Replayed {
    /// Recorded as PENDING.
    Accepted(Accepted),
    /// The key was used before, with the same request: this execution is the answer.
    Known(ExecutionId),
    /// The key was used before, with another request.
    KeyReused(ExecutionId),
    /// The tenant has no such execution.
    Unknown,
    /// The workflow is deleted.
    DeletedWorkflow,
    /// The workflow is switched off.
    InactiveWorkflow,
    /// The newest revision is another one by now: nothing was recorded.
    OtherRevision,
    /// The month's executions are used up: nothing was recorded.
    LimitReached(Reached),
}

/// A holder's request for a child.
#[derive(Debug, Clone)]
pub struct StartChild {
    /// The execution that asks.
    pub parent: ExecutionId,
    /// Its holder's fencing token.
    pub attempt: i32,
    /// Which node run asks, with `:r1` behind it after an operator's first retry, and so on: one child for each.
    pub path: String,
    /// Made by the caller; used only if there is no child for this path yet.
    pub id: ExecutionId,
    /// Which workflow; of the parent's organization, or it is not found.
    pub workflow_id: WorkflowId,
    /// The input object, as serialized.
    pub input: Arc<str>,
    /// The revision whose input schema the input meets, as far as the holder has checked.
    pub checked: Option<i32>,
    /// How deep children may be nested; an execution that is no child has depth 0.
    pub max_depth: i32,
}

/// What became of a [`StartChild`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildStarted {
    /// The child of this path, made now or earlier.
    Yes(ExecutionId),
    /// The lease is somebody else's, or the parent has ended: nothing was changed.
    Lost,
    /// The child would be nested too deeply.
    TooDeep,
    /// The organization has no such workflow.
    UnknownWorkflow,
    /// The workflow is switched off.
    InactiveWorkflow,
    /// The newest revision is this one, and it has an input schema that the input was not checked against.
    Unchecked {
        /// The newest revision.
        revision: i32,
    },
    /// The month's executions are used up.
    LimitReached(Reached),
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// Gone, with its journal and inbox.
    Yes,
    /// It has not ended.
    Unfinished(ExecutionStatus),
    /// It is the child of an execution that has not ended, and that might still look for it.
    ParentUnfinished,
    /// The tenant has no such execution.
    Unknown,
}

/// How long ended executions are kept where their workflow does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// COMPLETED.
    pub completed: Keep,
    /// FAILED.
    pub failed: Keep,
    /// CANCELLED.
    pub cancelled: Keep,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For so long after its end.
    For(Duration),
    /// For good.
    Forever,
}
