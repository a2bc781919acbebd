//! How far one node run has come.

/// One node run.
#[derive(Debug)]
pub(super) struct NodeRun {
    pub progress: Progress,
    /// Incoming edges whose source has not ended.
    pub unresolved: u32,
    /// Incoming edges that lead here.
    pub live: u32,
    /// Attempts that ended, and are journalled.
    pub attempts: u32,
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
    /// An attempt failed; the next is due at that time.
    Backoff { until: i64 },
    /// It failed, and the execution with it.
    Failed,
    /// It completed, failed and was routed or passed, or was passed by.
    Ended,
}

impl NodeRun {
    pub(super) fn new(incoming: u32) -> Self {
        Self {
            progress: Progress::Blocked,
            unresolved: incoming,
            live: 0,
            attempts: 0,
        }
    }
}
