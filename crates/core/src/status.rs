//! The statuses of an execution and the arrows between them: one enum, which the diagram in `docs/architecture.md` and
//! the CHECK constraints of both databases repeat.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// Claimable now, and nothing else: whatever is due later is `Waiting`.
    Pending,
    /// A worker holds the lease.
    Running,
    /// Suspended for a timer, a backoff or a message; no worker holds it.
    Waiting,
    /// Ended with an output.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by an operator.
    Cancelled,
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown execution status `{0}`")]
pub struct ParseStatusError(String);

impl ExecutionStatus {
    /// Every status, in the order of the diagram.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The status as the API and the databases write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether the execution has ended. Only an operator's retry leaves a terminal status, and only `Failed`.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Pending | Self::Running | Self::Waiting => false,
        }
    }

    /// Whether the diagram has an arrow from `self` to `to`.
    pub const fn may_become(self, to: Self) -> bool {
        match self {
            // FAILED from PENDING: dead-lettered, or past its deadline, once too often.
            Self::Pending => matches!(to, Self::Running | Self::Failed | Self::Cancelled),
            Self::Running => !matches!(to, Self::Running),
            Self::Waiting => matches!(to, Self::Pending | Self::Failed | Self::Cancelled),
            Self::Failed => matches!(to, Self::Pending),
            Self::Completed | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExecutionStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, ParseStatusError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| ParseStatusError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_back_as_written() {
        for status in ExecutionStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn nothing_leaves_a_terminal_status_but_an_operators_retry() {
        for from in ExecutionStatus::ALL
            .into_iter()
            .filter(|status| status.is_terminal())
        {
            for to in ExecutionStatus::ALL {
                let retry = from == ExecutionStatus::Failed && to == ExecutionStatus::Pending;
                assert_eq!(from.may_become(to), retry, "{from} to {to}");
            }
        }
    }
}
