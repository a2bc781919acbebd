//! Relay: executions that are due, and what is done with each; dead letters among them.

use std::time::Duration;

use gristmill_core::{ExecutionStatus, Job};

/// What the relay does with a due execution; pure, so that all of it is tested without a database.
pub type Decide<'a> = &'a (dyn Fn(&Due) -> Wake + Send + Sync);

/// An execution whose `wake_at` has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What to publish.
    pub job: Job,
    /// Where its jobs go.
    pub lane: String,
    /// PENDING, RUNNING or WAITING.
    pub status: ExecutionStatus,
    /// Whether the broker has confirmed a job for this PENDING.
    pub published: bool,
    /// How often a worker was lost since the last journal commit.
    pub losses: i32,
    /// Whether its deadline has passed.
    pub expired: bool,
    /// Whether it has waited for its start, and its workflow is paused.
    pub paused: bool,
    /// How long ago `wake_at` was.
    pub late: Duration,
}

/// What the relay does with a due execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Wake {
    /// PENDING stays PENDING, unpublished, due again `again_in` from now; the caller publishes.
    Publish {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// WAITING → PENDING, unpublished, `losses` untouched; the caller publishes.
    Start {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// RUNNING → PENDING with one more loss; the caller publishes.
    Reap {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// RUNNING → WAITING with one more loss, due again after a pause.
    Pause {
        /// How long.
        pause: Duration,
    },
    /// WAITING for its start → WAITING for its workflow to be resumed, without a clock.
    AwaitResume,
    /// → FAILED with one more loss, through the one `finish`.
    Fail {
        /// The error, as serialized.
        error: String,
    },
    /// → FAILED, past its deadline, through the one `finish`.
    Expire {
        /// The error, as serialized.
        error: String,
    },
    /// Nothing.
    Leave,
}

/// What became of one dead job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetter {
    /// One more loss; due at once.
    Retried,
    /// One loss too many: FAILED.
    Failed,
    /// The execution has moved on without this job: nothing was changed.
    Stale,
    /// No such execution.
    Unknown,
}

/// Which due executions [`Protocol::relay`](crate::Protocol::relay) looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// At most so many.
    pub limit: i64,
    /// RUNNING ones as well, whose lease is over.
    pub reap: bool,
    /// Only those that fell due within this time; `None` = however long ago. For a database that cannot clear away what
    /// has moved on: there, everything that was ever due is read through each time. SQLite always can, and looks at all.
    pub back: Option<Duration>,
}

impl Sweep {
    /// However long ago they fell due.
    pub fn all(limit: i64, reap: bool) -> Self {
        Self {
            limit,
            reap,
            back: None,
        }
    }
}
