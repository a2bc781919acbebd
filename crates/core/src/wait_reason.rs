//! Wait reason: what a WAITING execution waits for, where that is not its own graph.

use std::fmt;

/// What WAITING is for, as `executions.waits_for` holds it. An execution that waits for what its graph waits for (a timer,
/// a backoff, a signal, a child) has none: that stands in its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// It was submitted for later.
    Start,
    /// Its workflow is paused.
    Paused,
    /// Workers were lost with it: it pauses before another one gets it.
    Worker,
    /// What a newer version wrote, which may run beside this one: it is shown as it is.
    Other(String),
}

/// The text of a [`WaitReason`] as a literal, for statements that are put together when the program is compiled.
#[macro_export]
macro_rules! wait_reason {
    (Start) => {
        "start"
    };
    (Paused) => {
        "paused"
    };
    (Worker) => {
        "worker"
    };
}

impl WaitReason {
    /// The reason as the database and the API write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Start => wait_reason!(Start),
            Self::Paused => wait_reason!(Paused),
            Self::Worker => wait_reason!(Worker),
            Self::Other(text) => text,
        }
    }
}

impl From<String> for WaitReason {
    fn from(text: String) -> Self {
        [Self::Start, Self::Paused, Self::Worker]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .unwrap_or(Self::Other(text))
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_back_as_written_and_a_newer_ones_is_kept() {
        let newer = WaitReason::Other("throttle".to_owned());
        for reason in [WaitReason::Start, WaitReason::Paused, WaitReason::Worker, newer] {
            assert_eq!(WaitReason::from(reason.to_string()), reason);
        }
    }
}
