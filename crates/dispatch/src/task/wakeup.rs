//! Wake-up: what makes a task run before its next run is due.

use std::sync::Arc;

use tokio::sync::Notify;

/// Clones wake the same task, and one task waits. Should nobody hear it, the next run by the clock finds the same.
#[derive(Debug, Clone, Default)]
pub struct Wakeup(Arc<Notify>);

impl Wakeup {
    /// Call it after the commit that made something to do. However often it is called before the task runs, it runs once.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Returns when it was woken since the last return.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}
