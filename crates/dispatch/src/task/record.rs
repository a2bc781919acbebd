//! Record: what the metrics tell of a task's runs.

use std::time::{Duration, SystemTime};

use metrics::{counter, gauge, histogram};

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Done, and there may be more.
    More,
    Failed,
    Panicked,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Done, Self::More, Self::Failed, Self::Panicked];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::More => "more",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
        }
    }
}

/// A task is about to be driven: a counter that is not there yet hides its first step from alerts.
pub(super) fn begin(task: &'static str) {
    for outcome in Outcome::ALL {
        counter!("gristmill_task_runs_total", "task" => task, "outcome" => outcome.as_str()).increment(0);
    }
}

/// A run has ended.
pub(super) fn ended(task: &'static str, outcome: Outcome, took: Duration) {
    counter!("gristmill_task_runs_total", "task" => task, "outcome" => outcome.as_str()).increment(1);
    histogram!("gristmill_task_duration_seconds", "task" => task).record(took);
    // A clock before 1970 is not worth a word here.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    gauge!("gristmill_task_last_run_timestamp_seconds", "task" => task).set(now.as_secs_f64());
}
