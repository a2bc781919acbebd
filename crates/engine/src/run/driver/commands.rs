//! The control of a driver: what its owner wants of it.

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

/// The control of a driver: what its owner tells it, as it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// What to do.
    pub command: Command,
    /// How many messages have ever arrived: at first what the claim says, later what was last seen.
    pub inbox: i32,
}

impl From<Command> for Control {
    /// For an execution to which nobody has written.
    fn from(command: Command) -> Self {
        Self { command, inbox: 0 }
    }
}

/// The control as it changes. When its sender is gone, the last one stands.
pub(super) struct Commands(watch::Receiver<Control>);

impl Commands {
    pub(super) fn new(receiver: watch::Receiver<Control>) -> Self {
        Self(receiver)
    }

    pub(super) fn current(&mut self) -> Control {
        *self.0.borrow_and_update()
    }

    /// Returns when there is a change that [`current`](Self::current) has not told yet.
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
            .wait_for(|control| control.command == Command::Stop)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}
