//! Claim: how a worker becomes the holder of executions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, OrganizationId, WorkflowId};
use uuid::Uuid;

/// Who claims, and for how long.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Fresh for every claim: a claim whose answer was lost is recognized by it.
    pub token: Uuid,
    /// The worker's name, for operators.
    pub worker: String,
    /// How long the lease lasts unless renewed.
    pub lease: Duration,
}

/// What became of one job of a [`Claim`].
#[derive(Debug, Clone)]
pub enum ClaimAnswer {
    /// The caller holds its execution. Boxed: the other answers say next to nothing.
    Claimed(Box<Claimed>),
    /// Nothing was changed: somebody has its row locked. It was still good a moment ago; whoever comes again is told.
    Locked,
    /// Nothing was changed, and nothing will be: the job is old, or doubled, or taken.
    Stale,
    /// Nothing was changed: its organization has as many RUNNING as it may have. For limits that are yet to come: no
    /// statement says so today.
    OverLimit,
}

impl ClaimAnswer {
    /// The execution, where it was claimed.
    pub fn claimed(self) -> Option<Claimed> {
        match self {
            Self::Claimed(claimed) => Some(*claimed),
            Self::Locked | Self::Stale | Self::OverLimit => None,
        }
    }
}

/// An execution that this worker now holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which execution.
    pub id: ExecutionId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// The fencing token: every later write carries it.
    pub attempt: i32,
    /// The input object, as serialized.
    pub input: String,
    /// How many journal entries there are; 0 = nothing to fold.
    pub journal_len: i32,
    /// How many messages had arrived.
    pub inbox: i32,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// The first claim of all.
    pub started_at: DateTime<Utc>,
    /// The database's time at this claim: the holder's clock starts from it.
    pub now: DateTime<Utc>,
    /// When it will have taken too long, by its workflow's `timeoutMs`.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether it is another execution's child.
    pub is_child: bool,
}
