//! What a soak tells: each fault as it happens, and at the end a summary.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::invariants::Violation;

/// Collects what happens, and prints it to stderr as it does.
pub struct Report {
    began: Instant,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    faults: BTreeMap<String, usize>,
    missed: usize,
    violations: Vec<Violation>,
    recoveries: Vec<Duration>,
    thaws: Vec<i64>,
}

/// How it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// From which all can be repeated.
    pub seed: u64,
    /// How long faults were inflicted.
    pub lasted: Duration,
    /// How many of each kind were inflicted.
    pub faults: BTreeMap<String, usize>,
    /// How many could not be, because what they needed was down already.
    pub missed: usize,
    /// Executions that were accepted.
    pub accepted: usize,
    /// Of them, those that completed.
    pub completed: usize,
    /// Of them, those that failed.
    pub failed: usize,
    /// Calls that the endpoint saw.
    pub calls: usize,
    /// The longest that it took, from the last undo of a storm, until executions were accepted and ended again.
    pub slowest_recovery: Duration,
    /// How long it took, from the last undo of all, until every execution had ended.
    pub drained: Duration,
    /// All that was wrong.
    pub violations: Vec<Violation>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            notes: Mutex::default(),
        }
    }

    /// A line of what happens.
    pub(super) fn say(&self, what: &str) {
        eprintln!("{:8.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    pub(super) fn inflicted(&self, kind: String) {
        *self.lock().faults.entry(kind).or_default() += 1;
    }

    pub(super) fn missed(&self) {
        self.lock().missed += 1;
    }

    pub(super) fn thawed(&self, at: i64) {
        self.lock().thaws.push(at);
    }

    pub(super) fn recovered(&self, after: Duration) {
        self.lock().recoveries.push(after);
    }

    pub(super) fn violation(&self, violation: Violation) {
        self.say(&format!("VIOLATION {violation}"));
        self.lock().violations.push(violation);
    }

    pub(super) fn thaws(&self) -> Vec<i64> {
        self.lock().thaws.clone()
    }

    /// What was noted so far, without what only the database knows.
    pub(super) fn summary(&self) -> Summary {
        let notes = self.lock();
        Summary {
            seed: 0,
            lasted: Duration::ZERO,
            faults: notes.faults.clone(),
            missed: notes.missed,
            accepted: 0,
            completed: 0,
            failed: 0,
            calls: 0,
            slowest_recovery: notes.recoveries.iter().max().copied().unwrap_or_default(),
            drained: Duration::ZERO,
            violations: notes.violations.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Summary {
    /// One line, for programs.
    pub fn json(&self) -> Value {
        let violations: Vec<_> = self.violations.iter().map(Violation::to_string).collect();
        json!({
            "soak": {"seed": self.seed, "seconds": self.lasted.as_secs()},
            "faults": self.faults.values().sum::<usize>(),
            "faultsByKind": self.faults,
            "missed": self.missed,
            "accepted": self.accepted,
            "completed": self.completed,
            "failed": self.failed,
            "calls": self.calls,
            "slowestRecoveryMs": self.slowest_recovery.as_millis() as u64,
            "drainedMs": self.drained.as_millis() as u64,
            "violations": violations,
        })
    }

    /// Some lines, for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (kind, times) in &self.faults {
            text.push_str(&format!("{times:6}  {kind}\n"));
        }
        text.push_str(&format!(
            "{:6}  faults in {:.1} minutes; {} more could not be inflicted\n\
             {:6}  executions accepted, {} completed and {} failed as they should; {} calls\n\
             {:6.1}  seconds for the slowest recovery, {:.1} until all had ended after the last fault\n",
            self.faults.values().sum::<usize>(),
            self.lasted.as_secs_f64() / 60.0,
            self.missed,
            self.accepted,
            self.completed,
            self.failed,
            self.calls,
            self.slowest_recovery.as_secs_f64(),
            self.drained.as_secs_f64(),
        ));
        for violation in &self.violations {
            text.push_str(&format!("VIOLATION {violation}\n"));
        }
        text
    }
}
