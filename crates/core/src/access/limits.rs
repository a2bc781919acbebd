//! Limits: what each tier is limited to.

use super::Tier;

/// How much an organization may have; `None` is as much as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierLimits {
    /// Workflows at a time.
    pub workflows: Option<u32>,
    /// Agents at a time.
    pub agents: Option<u32>,
    /// Executions in a calendar month (UTC): every one that is inserted, children, replays and scheduled ones too.
    pub executions_per_month: Option<u32>,
}

impl TierLimits {
    /// No limits.
    pub const NONE: Self = Self {
        workflows: None,
        agents: None,
        executions_per_month: None,
    };
}

impl Tier {
    /// What the tier is limited to.
    pub const fn limits(self) -> TierLimits {
        match self {
            Self::Free | Self::Starter => TierLimits {
                workflows: Some(0),
                agents: Some(0),
                executions_per_month: Some(0),
            },
            Self::Growth => TierLimits {
                workflows: Some(10),
                agents: Some(5),
                executions_per_month: Some(1_000),
            },
            Self::Elite | Self::Enterprise => TierLimits::NONE,
        }
    }
}
