//! The start of a process that has its database to itself: whatever ran when the last one ended lost its worker.

use std::time::Duration;

use gristmill_core::{ExecutionStatus, boxed};
use gristmill_store::{Due, Error, Protocol, Sweep, System, Wake};

use super::decide;

/// How many executions are judged in one transaction.
const LIMIT: i64 = 500;

/// Makes everything unfinished due now, and counts a loss for each execution that was under way, by the relay's own
/// rule: one that kills its process again and again is paused, and at last failed. Answers with how many there were.
///
/// # Errors
/// When the database cannot be used.
#[boxed]
pub async fn recover(store: &dyn Protocol) -> Result<u64, Error> {
    let unfinished = store.recover(System).await?;
    let judge = |due: &Due| match due.status {
        ExecutionStatus::Running => decide(due, Duration::ZERO, fastrand::f64()),
        _ => Wake::Leave,
    };
    loop {
        let judged = store.relay(System, Sweep::all(LIMIT, true), &judge).await?;
        if judged.iter().all(|(_, wake)| *wake == Wake::Leave) {
            return Ok(unfinished);
        }
    }
}
