//! Submit: a request to run a workflow, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, WorkflowId};

use crate::Reached;

/// A request to run a workflow.
#[derive(Debug, Clone)]
pub struct Submit {
    /// Made by the caller, so that it is known before the commit.
    pub id: ExecutionId,
    /// Which workflow; of the tenant, or it is not found.
    pub workflow_id: WorkflowId,
    /// The input object, as serialized. Shared: a request is handed on several times before its statement.
    pub input: Arc<str>,
    /// The producer's key against doubles.
    pub idempotency_key: Option<String>,
    /// What a repeat under that key is.
    pub repeat: Repeat,
    /// A hash of what a repeat must have in common with it, where that is the content: workflow, input and the rest.
    pub request_hash: String,
    /// When it may be claimed.
    pub start: Start,
    /// The revision whose input schema the input meets, as far as the caller has checked.
    pub checked: Option<i32>,
    /// The producer's tags, as a JSON array of strings.
    pub tags: Option<Arc<str>>,
    /// The producer's own object, as serialized.
    pub metadata: Option<Arc<str>>,
    /// How many executions the organization may have in this month; `None` = as many as it likes.
    pub monthly_limit: Option<u32>,
}

/// When a request under a key that was used before is the same request again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeat {
    /// When its content is the same, too: other content is a mistake of the producer's, and is told so.
    #[default]
    SameContent,
    /// Whatever its content: the key names the event that the request comes of, such as a delivery or a tick.
    SameKey,
}

impl Submit {
    /// What the execution behind the key, made by a request with this hash, is to this request.
    pub(crate) fn repeats(&self, known: ExecutionId, request_hash: &str) -> Submitted {
        match self.repeat {
            Repeat::SameContent if request_hash != self.request_hash => Submitted::KeyReused(known),
            Repeat::SameContent | Repeat::SameKey => Submitted::Known(known),
        }
    }
}

/// When a submitted execution may be claimed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// At once.
    #[default]
    Now,
    /// At a time; one that is over is now.
    At(DateTime<Utc>),
    /// After a while, by the database's clock.
    In(Duration),
}

/// What became of one [`Submit`].
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// Recorded as PENDING: from here it is never lost.
    Accepted(Accepted),
    /// The key was used before, and this is the same request again, by its [`Repeat`]: this execution is the answer.
    Known(ExecutionId),
    /// The key was used before, with another request.
    KeyReused(ExecutionId),
    /// The tenant has no such workflow.
    UnknownWorkflow,
    /// The workflow is switched off.
    InactiveWorkflow,
    /// The newest revision is this one, and it has an input schema that the input was not checked against.
    Unchecked {
        /// The newest revision.
        revision: i32,
    },
    /// The month's executions are used up: nothing was recorded.
    LimitReached(Reached),
}

/// A freshly recorded execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The id that the caller made.
    pub id: ExecutionId,
    /// The revision that it will run.
    pub revision: i32,
    /// Where its jobs go.
    pub lane: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// Whether it is WAITING for its workflow to be resumed.
    pub paused: bool,
    /// When it becomes claimable; `None` = it is PENDING, or waits for its workflow.
    pub starts_at: Option<DateTime<Utc>>,
}
