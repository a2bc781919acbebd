//! What the owner of a driver wants of it.

use tokio::sync::watch;

/// What the owner of a driver wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Go on.
    Run,
    /// Start nothing new, let effects in flight end within the grace period, then let go.
    Drain,
    /// The lease is lost or the execution cancelled: abort everything and write nothing.
    Stop,
}

/// The commands as they change. When their sender is gone, the last one stands.
pub(super) struct Commands(watch::Receiver<Command>);

impl Commands {
    pub(super) fn new(receiver: watch::Receiver<Command>) -> Self {
        Self(receiver)
    }

    pub(super) fn current(&mut self) -> Command {
        *self.0.borrow_and_update()
    }

    /// Returns when there is a command that [`current`](Self::current) has not told yet.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the command is to stop.
    pub(super) async fn stopped(&self) {
        // A receiver of its own: this one must not count a drain as seen that arrives meanwhile.
        let mut receiver = self.0.clone();
        if receiver
            .wait_for(|command| *command == Command::Stop)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}
