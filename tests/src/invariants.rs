//! What must hold whatever was done to the system: the invariants I1 to I8 of the failure catalogue, and the one checker
//! that every case and the soak use.
//!
//! The checker is pure. It is given what the producers were told, what the database holds and what the endpoint saw, and
//! answers with everything that is wrong, so that a long run can report all of it.

mod acceptance;
mod calls;
mod history;
mod journal;

use std::collections::BTreeSet;
use std::fmt;

use gristmill_testkit::RecordedCall;

use crate::database::Row;
pub use history::{History, Sample};

/// A promise of the whole system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: what was accepted ends as it should, once.
    Ends,
    /// I2: nothing completes twice, and no effect is called again once its completion is committed.
    EffectsOnce,
    /// I3: statuses, attempts and journals only move forward.
    Forward,
    /// I4: no queue keeps anything.
    Drains,
    /// I5: the API accepts what is committed, and nothing else.
    Acceptance,
    /// I6: nothing of one organization shows up with another.
    Tenants,
    /// I7: no session, transaction or lock stays behind.
    Leaks,
    /// I8: nothing is stuck, and no process ends by itself.
    Recovers,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which promise it breaks.
    pub invariant: Invariant,
    /// What was found, and where.
    pub what: String,
}

/// What one producer was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The execution's id.
    pub execution: String,
    /// The idempotency key, if there was one.
    pub key: Option<String>,
    /// Whose API key was used, if the case has more than one organization.
    pub organization: Option<String>,
    /// The status and the output of an answer that came when the execution had ended.
    pub ended: Option<(String, serde_json::Value)>,
}

/// How often an effect may have been called that is in the journal as completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Once: no worker was lost in the middle, and nothing was retried.
    Once,
    /// As often as the journal says that an attempt began: a worker may have been lost between the call and its commit.
    AtLeastOnce,
}

/// Everything that the checker looks at.
#[derive(Debug)]
pub struct Evidence {
    /// What the producers were told.
    pub accepted: Vec<Accepted>,
    /// Every execution there is.
    pub rows: Vec<Row>,
    /// Every call that the endpoint saw.
    pub calls: Vec<RecordedCall>,
    /// How often an effect may have been called.
    pub calls_allowed: Calls,
    /// Workflows whose executions have to fail, each with an error of its node. All others have to complete.
    pub failing: BTreeSet<String>,
    /// Times, in microseconds since 1970, at which a worker went on that had been frozen for longer than its lease. A
    /// process that is frozen between its last look at its lease and the first byte of a call sends that call when it
    /// thaws; nothing outside of the endpoint can prevent it.
    pub thaws: Vec<i64>,
}

impl Evidence {
    /// Everything that is wrong, in the order of invariants.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Findings::default();
        acceptance::check(self, &mut found);
        for row in &self.rows {
            journal::check(row, self.failing.contains(&row.workflow), &mut found);
        }
        calls::check(self, &mut found);
        found.0.sort();
        found.0
    }
}

impl From<&String> for Accepted {
    fn from(execution: &String) -> Self {
        Self {
            execution: execution.clone(),
            key: None,
            organization: None,
            ended: None,
        }
    }
}

impl Violation {
    /// One of these.
    pub fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.invariant as usize + 1;
        write!(f, "I{number} ({:?}): {}", self.invariant, self.what)
    }
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, invariant: Invariant, what: impl Into<String>) {
        self.0.push(Violation::new(invariant, what));
    }

    fn expect(&mut self, holds: bool, invariant: Invariant, what: impl FnOnce() -> String) {
        if !holds {
            self.add(invariant, what());
        }
    }
}

#[cfg(test)]
mod tests;
