//! The order of a bulk request: what is done to each execution.

use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Actor, Cancelled, Retried, Tenant};

use crate::http::error::Error;
use crate::state::AppState;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Cancel,
    Retry,
}

/// What became of one execution.
pub(super) enum Outcome {
    Done,
    /// It has ended, was retried or deleted since it was found.
    MovedOn,
    Failed(Error),
}

impl Order {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }

    /// Where an execution must stand for it.
    pub(super) const fn possible(self) -> &'static [ExecutionStatus] {
        match self {
            Self::Cancel => &[
                ExecutionStatus::Pending,
                ExecutionStatus::Running,
                ExecutionStatus::Waiting,
            ],
            Self::Retry => &[ExecutionStatus::Failed],
        }
    }

    /// Does it, exactly as for one execution alone.
    pub(super) async fn carry_out(
        self,
        state: &AppState,
        tenant: &Tenant,
        actor: &Actor,
        id: &ExecutionId,
    ) -> Outcome {
        let protocol = state.services.store.protocol();
        let outcome = match self {
            Self::Cancel => protocol
                .cancel(tenant, actor, id)
                .await
                .map(|cancelled| match cancelled {
                    Cancelled::Yes(_) => Outcome::Done,
                    Cancelled::Already | Cancelled::Ended(_) | Cancelled::Unknown => Outcome::MovedOn,
                }),
            Self::Retry => protocol
                .retry(tenant, actor, id)
                .await
                .map(|retried| match retried {
                    Retried::Yes => Outcome::Done,
                    // It stays FAILED, and the same filter finds it again.
                    Retried::DeletedWorkflow => Outcome::Failed(Error::NotFound("workflow")),
                    Retried::NotFailed(_) | Retried::Unknown => Outcome::MovedOn,
                }),
        };
        outcome.unwrap_or_else(|error| Outcome::Failed(Error::from_write(error)))
    }
}
