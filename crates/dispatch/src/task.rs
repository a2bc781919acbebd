//! Background task: work that no request asks for, done again and again for as long as the process lives.

mod driver;
mod pace;
mod record;
mod wakeup;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio_util::sync::CancellationToken;

pub use driver::drive;
pub use pace::Pace;
pub use wakeup::Wakeup;

/// What [`drive`] runs.
///
/// A run takes no input: it looks for what there is to do. Every process runs every task, so a run may be made twice, by two
/// processes at the same time, and must not mind. What it keeps for the next run may be lost with the process.
pub trait Task: Send {
    /// What metrics and the log call it; no two tasks have one name.
    fn name(&self) -> &'static str;

    /// How often it runs.
    fn pace(&self) -> Pace;

    /// One run. It is never dropped half done, so that a transaction comes to its end; one that may last for seconds has to
    /// look at `stop` in between.
    ///
    /// # Errors
    /// What kept it from doing all of its work. It is logged, and the task runs again.
    fn run<'a>(&'a mut self, stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>>;

    /// Returns when the next run is not to wait for the interval. Safe to cancel: what was heard once is not lost. A task
    /// that nobody wakes leaves it as it is.
    fn woken(&mut self) -> BoxFuture<'_, ()> {
        pending().boxed()
    }
}

/// When a task that has done its work runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There may be more to do: after this pause, which may be none.
    Again(Duration),
    /// That was all: by its pace, or when it is woken.
    Later,
}

impl Next {
    /// At once, if there may be more.
    pub const fn again_if(more: bool) -> Self {
        if more {
            Self::Again(Duration::ZERO)
        } else {
            Self::Later
        }
    }
}

/// Why a run did not do its work.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
