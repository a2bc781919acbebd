//! Options: what the brokers need to know.

use std::fmt;
use std::time::Duration;

use crate::Lane;

/// How to reach RabbitMQ and what to declare there.
#[derive(Clone)]
pub struct RabbitMqOptions {
    /// `amqp://` or `amqps://`. Its own `heartbeat` parameter wins over the field.
    pub url: String,
    /// What the connections are called in RabbitMQ's listings.
    pub name: String,
    /// The first word of every exchange and queue; deployments that share a broker choose different ones.
    pub prefix: String,
    /// The lanes that are declared. Publishers and workers need the same list.
    pub lanes: Vec<Lane>,
    /// How often a job comes back from a worker that vanished before it becomes a dead letter. Part of the declared
    /// queues: they have to be deleted before it can change.
    pub delivery_limit: u32,
    /// A connection is given up after two of these without a sign of life. Below 5 s are false alarms.
    pub heartbeat: Duration,
    /// The longest wait for a connection, the handshake included.
    pub connect_timeout: Duration,
    /// The longest wait for a group's confirms. After it their outcome is unknown and the connection is dropped.
    pub confirm_timeout: Duration,
    /// The longest wait for any other answer.
    pub answer_timeout: Duration,
    /// The longest pause between attempts to connect; the first one is a fifth of a second.
    pub max_backoff: Duration,
    /// How long consumers run before they are started anew. A queue that is deleted and declared again within milliseconds
    /// leaves its consumers behind without a word (seen on RabbitMQ 3.10.8: no `basic.cancel` comes): they would wait for ever
    /// on a queue that is gone while the new one fills. Nor do consumers on the same channel get what the new queue holds: the
    /// channel keeps what it knew of the old one. So it is a new channel each time, and the queues are looked for first.
    /// Shorter than a lease, so that nothing is stuck for longer than after a crash.
    ///
    /// Whoever has deliveries that nobody has read yet waits for none, and is left alone: the database may be away, and each
    /// channel that is closed returns what it delivered, until the broker takes it for a dead letter.
    pub consumers_last: Duration,
}

impl RabbitMqOptions {
    /// The defaults, for a broker and its lanes.
    pub fn new(url: impl Into<String>, lanes: Vec<Lane>) -> Self {
        Self {
            url: url.into(),
            name: "gristmill".to_owned(),
            prefix: "gristmill".to_owned(),
            lanes,
            delivery_limit: 20,
            heartbeat: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            confirm_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
            max_backoff: Duration::from_secs(5),
            consumers_last: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for RabbitMqOptions {
    /// Without the URL, for it holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqOptions")
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

/// What the in-process broker keeps, and for how long.
#[derive(Debug, Clone)]
pub struct InProcessOptions {
    /// The lanes that there are.
    pub lanes: Vec<Lane>,
    /// How often a job comes back from a dropped subscription before it becomes a dead letter.
    pub delivery_limit: u32,
    /// How many jobs wait in one lane; more are [`crate::Published::Refused`].
    pub capacity: usize,
}

impl InProcessOptions {
    /// The defaults, for these lanes.
    pub fn new(lanes: Vec<Lane>) -> Self {
        Self {
            lanes,
            delivery_limit: 20,
            capacity: 100_000,
        }
    }
}
