//! Outcome: how driving an execution ends, and what it may take.

use std::time::Duration;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionError, Limits, Totals};
use serde_json::{Map, Value};

/// How driving an execution ended. `entries` are not appended yet: they belong into the transaction that records the
/// outcome. Only a suspension is recorded already, because a message may stand against it.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// Every node ended, and none failed the execution.
    Completed {
        /// Its result.
        output: Map<String, Value>,
        /// What it did and used.
        totals: Totals,
        /// What is to be journalled.
        entries: Vec<Entry>,
    },
    /// A node failed the execution, or it took too long.
    Failed {
        /// Why.
        error: ExecutionError,
        /// What it did and used.
        totals: Totals,
        /// What is to be journalled.
        entries: Vec<Entry>,
    },
    /// Nothing is in flight and nothing ready: it goes on later, anywhere. [`Journal::suspend`](crate::Journal::suspend)
    /// has recorded it.
    Suspended {
        /// When, in database time; `None` when only a message can wake it.
        wake_at: Option<i64>,
    },
    /// Drained: it could go on at once, elsewhere.
    Released {
        /// What is to be journalled.
        entries: Vec<Entry>,
    },
    /// The lease is lost, or the driver was told to stop. Nothing may be written.
    Lost,
}

/// What an execution may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long effects in flight may go on after a drain began.
    pub drain_grace: Duration,
    /// The longest wait for which an execution keeps its worker.
    pub hold: Duration,
    /// How many effects run at the same time, when the workflow's settings do not say.
    pub max_parallel: usize,
    /// How large things may become.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            drain_grace: Duration::from_secs(20),
            hold: Duration::from_secs(2),
            max_parallel: 16,
            limits: Limits::default(),
        }
    }
}
