//! History: statuses, attempts and journals as they were seen from time to time: they only move forward.

use std::collections::BTreeMap;

use gristmill_core::ExecutionStatus;

use super::{Invariant, Violation};
use crate::database::Row;

/// What was seen of every execution so far.
#[derive(Debug, Default)]
pub struct History {
    last: BTreeMap<String, Sample>,
    /// What moved backwards.
    pub violations: Vec<Violation>,
}

/// How an execution stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Its id.
    pub id: String,
    /// `PENDING`, `RUNNING`, ….
    pub status: String,
    /// How often it was claimed.
    pub attempt: i32,
    /// How many journal entries it had.
    pub journal_len: i32,
}

impl History {
    /// Compares each execution with how it stood when it was last seen.
    pub fn see(&mut self, samples: impl IntoIterator<Item = Sample>) {
        for sample in samples {
            let earlier = self.last.insert(sample.id.clone(), sample.clone());
            if let Some(earlier) = earlier.filter(|earlier| !may_follow(earlier, &sample)) {
                let what = format!("{earlier:?} became {sample:?}");
                self.violations.push(Violation::new(Invariant::Forward, what));
            }
        }
    }
}

impl From<&tokio_postgres::Row> for Sample {
    fn from(row: &tokio_postgres::Row) -> Self {
        Self {
            id: row.get("id"),
            status: row.get("status"),
            attempt: row.get("attempt"),
            journal_len: row.get("journal_len"),
        }
    }
}

impl From<&Row> for Sample {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.clone(),
            status: row.status.clone(),
            attempt: row.attempt,
            journal_len: row.journal_len,
        }
    }
}

/// Whether some way along the arrows of the diagram leads from one to the other; nobody retries by hand here.
fn may_follow(earlier: &Sample, later: &Sample) -> bool {
    if earlier == later {
        return true;
    }
    let (Ok(from), Ok(to)) = (earlier.status.parse(), later.status.parse()) else {
        return false;
    };
    let (from, to): (ExecutionStatus, ExecutionStatus) = (from, to);
    let claimed = later.attempt > earlier.attempt;
    let grown = later.journal_len > earlier.journal_len;
    match from {
        _ if later.attempt < earlier.attempt || later.journal_len < earlier.journal_len => false,
        ExecutionStatus::Completed | ExecutionStatus::Failed | ExecutionStatus::Cancelled => false,
        // Only a claim leads to RUNNING, and only a holder writes.
        ExecutionStatus::Pending | ExecutionStatus::Waiting => {
            claimed || (!grown && to != ExecutionStatus::Running && to != ExecutionStatus::Completed)
        }
        ExecutionStatus::Running => true,
    }
}
