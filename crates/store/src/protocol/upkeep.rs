//! Upkeep: what is kept for how long, and how much waits.

use std::time::Duration;

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Backlog {
    /// For how long the one has been claimable that has been so for longest, of the PENDING executions looked at: since the
    /// broker first confirmed its job or, where it has none, since it fell due.
    pub oldest_pending: Duration,
    /// How long the most overdue `wake_at` has been due: how far behind the relays are.
    pub relay_lag: Duration,
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
