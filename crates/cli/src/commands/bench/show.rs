//! Show: the benchmark's progress, drawn like everybody's.

use std::sync::{Mutex, PoisonError};

use gristmill_bench::Show;
use indicatif::MultiProgress;

use crate::progress::Progress;

/// A bar for each stretch of work.
pub struct Bars {
    all: MultiProgress,
    current: Mutex<Option<Progress>>,
}

impl Bars {
    pub fn new(all: MultiProgress) -> Self {
        Self {
            all,
            current: Mutex::default(),
        }
    }

    /// Takes the last bar off the screen.
    pub fn finish(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<Progress>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = std::mem::replace(&mut *current, next) {
            last.finish();
        }
    }
}

impl Show for Bars {
    fn begin(&self, what: &str, executions: u64) {
        let bar = Progress::start(&self.all, Some(executions));
        bar.line(&format!("{what}: {executions} executions"));
        self.replace(Some(bar));
    }

    fn ended(&self, well: bool) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &*current {
            bar.ended(well);
        }
    }
}
