//! Holder: what the worker that has an execution writes about it, and the children that it starts.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, Totals, WorkflowId};

use crate::Reached;

/// One commit's worth of journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The number of its first entry; the first of all is 0.
    pub seq: i32,
    /// The format version of `body`.
    pub format: i32,
    /// A JSON array of entries, as serialized.
    pub body: String,
}

/// Entries to be appended.
#[derive(Debug, Clone)]
pub struct NewChunk {
    /// A JSON array of entries, in the current format.
    pub body: String,
    /// How many entries it holds; at least 1.
    pub entries: i32,
    /// Whether any of them says that the execution got on ([`gristmill_core::journal::Entry::is_progress`]).
    pub progress: bool,
}

/// A holder's journal commit; with [`Protocol::release`](crate::Protocol::release) also the end of its hold.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// How many entries the holder knows of; [`Protocol::append`](crate::Protocol::append) appends behind exactly those.
    pub journal_len: i32,
    /// What is appended; `None` appends nothing.
    pub chunk: Option<NewChunk>,
}

/// What became of a holder's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Done.
    Yes,
    /// The lease is somebody else's, or the execution has ended: nothing was changed.
    No,
}

/// The end of an execution.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// The last entries.
    pub chunk: Option<NewChunk>,
    /// How it ended.
    pub ending: Ending,
    /// What it cost.
    pub totals: Totals,
    /// Whether it is another execution's child, as its claim said.
    pub is_child: bool,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// COMPLETED, with the output object as serialized.
    Completed {
        /// The output object, as serialized.
        output: String,
    },
    /// FAILED, with a [`gristmill_core::ExecutionError`] as serialized.
    Failed {
        /// The error, as serialized.
        error: String,
    },
}

/// A holder lets go until a time comes or a message arrives.
#[derive(Debug, Clone)]
pub struct Suspend {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// The last entries.
    pub chunk: Option<NewChunk>,
    /// `inbox` as the holder last folded it.
    pub inbox: i32,
    /// The earliest of timers and backoffs; `None` = only a message, or the deadline, wakes it.
    pub wake_at: Option<DateTime<Utc>>,
}

/// What became of a [`Suspend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    /// WAITING.
    Yes,
    /// A message has arrived: still RUNNING and still the holder's. Nothing was changed; fold it and go on.
    MessageArrived,
    /// The lease is somebody else's, or the execution has ended: nothing was changed.
    No,
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
