//! Progress: how far one node run has come.

/// One node run. Its number is its place among all node runs of the execution.
#[derive(Debug)]
pub(super) struct NodeRun {
    pub progress: Progress,
    /// Incoming edges whose source has not ended.
    pub unresolved: u32,
    /// Incoming edges that lead here.
    pub live: u32,
    /// Attempts that ended, and are journalled.
    pub attempts: u32,
    /// Which node of the plan.
    pub node: u32,
    /// Which run of the node's body.
    pub instance: u32,
}

/// How far a node run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Some incoming edge is not resolved.
    Blocked,
    /// Every incoming edge is resolved.
    Ready,
    /// An attempt is under way.
    InFlight,
    /// An attempt that must not be repeated was under way, and nobody knows what it came to.
    Unknown,
    /// An attempt failed; the next is due at that time.
    Backoff { until: i64 },
    /// It waits for a time, for a message, or for whichever comes first.
    Waiting { until: Option<i64> },
    /// A `forEach` whose items are known; it has to end by that time.
    Expanded { until: Option<i64> },
    /// It failed, and what it belongs to with it.
    Failed,
    /// It completed, failed and was routed or passed, or was passed by.
    Ended,
}

impl Progress {
    /// When something has to happen whatever else does.
    pub(super) fn due(self) -> Option<i64> {
        match self {
            Self::Backoff { until } => Some(until),
            Self::Waiting { until } | Self::Expanded { until } => until,
            Self::Blocked | Self::Ready | Self::InFlight | Self::Unknown | Self::Failed | Self::Ended => None,
        }
    }
}
