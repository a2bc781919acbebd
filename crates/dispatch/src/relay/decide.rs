//! The whole recovery story in one match: what becomes of an execution whose `wake_at` has come.

use std::time::Duration;

use gristmill_core::{ExecutionError, ExecutionStatus};
use gristmill_store::{Due, Wake};

/// How many workers an execution may lose in a row, without a journal commit in between, before it is FAILED: what
/// kills five workers would kill the sixth.
pub const MAX_LOSSES: i32 = 5;

/// What the relay does with one due execution. What is published is due again after `again_in`, unless the broker
/// confirms; `random` is between 0 and 1 and spreads the pauses after losses.
pub fn decide(due: &Due, again_in: Duration, random: f64) -> Wake {
    match due.status {
        // Whoever holds it, or would claim it now, could only say the same. A holder whose lease is good says so itself.
        ExecutionStatus::Pending | ExecutionStatus::Waiting | ExecutionStatus::Running if due.expired => {
            Wake::Expire {
                error: timeout_error(),
            }
        }
        // Not confirmed: nobody published it, or the confirm never came. Confirmed, minutes ago: the message may be
        // lost, or the backlog is deep; a doubled job claims nothing, so publishing again is harmless.
        ExecutionStatus::Pending => Wake::Publish { again_in },
        // Its start has come while its workflow is paused.
        ExecutionStatus::Waiting if due.paused => Wake::AwaitResume,
        // A timer or a backoff has come.
        ExecutionStatus::Waiting => Wake::Start { again_in },
        // The lease ran out: its worker is dead, frozen or cut off.
        ExecutionStatus::Running => match due.losses + 1 {
            1 => Wake::Reap { again_in },
            losses if losses >= MAX_LOSSES => Wake::Fail { error: lost_error() },
            losses => Wake::Pause {
                pause: pause_after(losses, random),
            },
        },
        // Terminal rows have no clock; a CHECK constraint says so.
        ExecutionStatus::Completed | ExecutionStatus::Failed | ExecutionStatus::Cancelled => Wake::Leave,
    }
}

/// The error of an execution that lost [`MAX_LOSSES`] workers in a row, as serialized.
pub fn lost_error() -> String {
    let message = format!(
        "{MAX_LOSSES} workers in a row were lost while they ran this execution, without any progress in between. \
         Look at the workers' memory and logs, then retry the execution."
    );
    serde_json::to_string(&ExecutionError::new("worker_lost", message)).unwrap_or_default()
}

/// The error of an execution whose workflow's `timeoutMs` ended while no worker held it, as serialized.
fn timeout_error() -> String {
    let message = "the execution took longer than its workflow's timeoutMs, from its first claim on";
    serde_json::to_string(&ExecutionError::new("timeout", message)).unwrap_or_default()
}

/// 2–5, 10–30, 30–90 seconds after the second, third and fourth loss: long enough for a sick worker to be replaced,
/// spread so that what was lost together does not come back together.
fn pause_after(losses: i32, random: f64) -> Duration {
    let (from, to) = match losses {
        ..=2 => (2.0, 5.0),
        3 => (10.0, 30.0),
        _ => (30.0, 90.0),
    };
    Duration::from_secs_f64(from + (to - from) * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_core::{ExecutionId, Job, OrganizationId};

    const AGAIN_IN: Duration = Duration::from_secs(30);

    fn due(status: ExecutionStatus, losses: i32) -> Due {
        let job = Job {
            execution_id: ExecutionId::new(),
            organization_id: OrganizationId::new(),
            attempt: 1,
        };
        Due {
            job,
            lane: "default".into(),
            status,
            published: false,
            losses,
            expired: false,
            paused: false,
            late: Duration::ZERO,
        }
    }

    #[test]
    fn a_first_loss_is_tried_again_at_once_and_later_ones_after_a_growing_pause() {
        let seconds = |losses, random| match decide(&due(ExecutionStatus::Running, losses), AGAIN_IN, random)
        {
            Wake::Pause { pause } => pause.as_secs(),
            other => panic!("{other:?}"),
        };
        assert!(matches!(
            decide(&due(ExecutionStatus::Running, 0), AGAIN_IN, 0.5),
            Wake::Reap { .. }
        ));
        assert_eq!((seconds(1, 0.0), seconds(1, 1.0)), (2, 5));
        assert_eq!((seconds(2, 0.0), seconds(2, 1.0)), (10, 30));
        assert_eq!((seconds(3, 0.0), seconds(3, 1.0)), (30, 90));
    }

    #[test]
    fn the_fifth_loss_in_a_row_fails_the_execution_and_says_why() {
        let Wake::Fail { error } = decide(&due(ExecutionStatus::Running, 4), AGAIN_IN, 0.5) else {
            panic!()
        };
        assert!(
            error.contains("worker_lost") && error.contains("5 workers"),
            "{error}"
        );
    }

    #[test]
    fn what_is_past_its_deadline_fails_wherever_it_stands() {
        for status in [
            ExecutionStatus::Pending,
            ExecutionStatus::Waiting,
            ExecutionStatus::Running,
        ] {
            let due = Due {
                expired: true,
                paused: false,
                ..due(status, 0)
            };
            let Wake::Expire { error } = decide(&due, AGAIN_IN, 0.5) else {
                panic!("{status}")
            };
            assert!(error.contains(r#""code":"timeout""#), "{error}");
        }
    }

    #[test]
    fn what_waits_is_started_and_what_is_pending_is_published_again() {
        assert!(matches!(
            decide(&due(ExecutionStatus::Waiting, 4), AGAIN_IN, 0.5),
            Wake::Start { .. }
        ));
        assert!(matches!(
            decide(&due(ExecutionStatus::Pending, 4), AGAIN_IN, 0.5),
            Wake::Publish { .. }
        ));
        assert_eq!(
            decide(&due(ExecutionStatus::Failed, 0), AGAIN_IN, 0.5),
            Wake::Leave
        );
    }
}
