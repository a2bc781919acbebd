//! Progress: a line on stderr when a stretch of work begins, and every few seconds while it goes on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gristmill_bench::Show;

/// How often a line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far a benchmark is.
#[derive(Default)]
pub struct Lines(Mutex<Option<Stretch>>);

struct Stretch {
    executions: u64,
    ended: u64,
    failed: u64,
    printed: Instant,
}

impl Show for Lines {
    fn begin(&self, what: &str, executions: u64) {
        eprintln!("{what}: {executions} executions");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stretch {
            executions,
            ended: 0,
            failed: 0,
            printed: Instant::now(),
        });
    }

    fn ended(&self, well: bool) {
        let mut stretch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stretch) = &mut *stretch else { return };
        stretch.ended += 1;
        stretch.failed += u64::from(!well);
        if stretch.printed.elapsed() >= LINE_EVERY {
            stretch.printed = Instant::now();
            let Stretch {
                executions,
                ended,
                failed,
                ..
            } = stretch;
            eprintln!("{ended}/{executions} executions, {failed} failed");
        }
    }
}
