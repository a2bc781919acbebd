//! Operate: what people do with whole executions.

use gristmill_core::{ExecutionId, ExecutionStatus};

use super::submit::Accepted;
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
