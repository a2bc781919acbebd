//! Error: what can go wrong between this process and the broker.

use std::time::Duration;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

use crate::Lane;

/// Why the broker did not do what it was asked. Cheap to clone: one failure answers every caller whose job was in the group.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The URL is no AMQP URL.
    #[error("the AMQP URL cannot be read: {0}")]
    Url(String),
    /// No connection came to be.
    #[error("connecting to RabbitMQ failed")]
    Connect(#[source] lapin::Error),
    /// The broker was silent for too long; what it did is unknown.
    #[error("RabbitMQ did not answer within {} s while {doing}", after.as_secs_f32())]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection has no room for a channel, or has just been lost.
    #[error("opening a channel failed")]
    Channel(#[source] lapin::Error),
    /// An exchange, a queue or its binding could not be declared.
    #[error("declaring `{name}` failed")]
    Declare {
        /// The exchange or queue.
        name: String,
        /// What the broker said.
        #[source]
        source: lapin::Error,
    },
    /// An exchange or queue of this name exists, and differs. Only people can decide what to do with it.
    #[error(
        "`{name}` exists on the broker with other properties than this version declares; once it is empty, delete it \
         (`rabbitmqctl delete_queue {name}`), or configure another prefix"
    )]
    Mismatch {
        /// The exchange or queue.
        name: String,
        /// What the broker said: which property differs.
        #[source]
        source: lapin::Error,
    },
    /// The connection was lost while jobs were being published.
    #[error("publishing failed")]
    Publish(#[source] lapin::Error),
    /// A consumer could not be started.
    #[error("consuming from `{queue}` failed")]
    Consume {
        /// The queue.
        queue: String,
        /// What the broker said.
        #[source]
        source: lapin::Error,
    },
    /// A queue's length could not be read.
    #[error("asking for the depth of `{queue}` failed")]
    Depth {
        /// The queue.
        queue: String,
        /// What the broker said.
        #[source]
        source: lapin::Error,
    },
    /// The lane is not among the configured ones.
    #[error("the lane `{0}` is not configured")]
    UnknownLane(Lane),
    /// There is no connection to publish on now.
    #[error("there is no connection to RabbitMQ at present")]
    Disconnected,
    /// The broker has raised its memory or disk alarm.
    #[error("RabbitMQ takes no messages at present: its memory or disk alarm is on")]
    Blocked,
    /// [`crate::Broker::close`] was called.
    #[error("the broker is closed")]
    Closed,
}

impl Error {
    /// Whether trying again is pointless until a person has changed something. Such an error ends the start of a
    /// process; all others are waited out.
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Url(_) | Self::Mismatch { .. } | Self::UnknownLane(_) => true,
            Self::Connect(source) | Self::Declare { source, .. } => refused(source),
            _ => false,
        }
    }

    pub(crate) fn declare(name: &str, source: lapin::Error) -> Self {
        let name = name.to_owned();
        if is_soft(&source, AMQPSoftError::PRECONDITIONFAILED) {
            Self::Mismatch { name, source }
        } else {
            Self::Declare { name, source }
        }
    }
}

/// Whether the broker said that there is no such queue.
pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    is_soft(error, AMQPSoftError::NOTFOUND)
}

fn is_soft(error: &lapin::Error, wanted: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(amqp) if *amqp.kind() == AMQPErrorKind::Soft(wanted))
}

/// A wrong password or missing permission, or a virtual host that does not exist.
fn refused(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(amqp) = error.kind() else {
        return false;
    };
    matches!(
        amqp.kind(),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
    )
}
