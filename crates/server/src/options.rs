//! Options of one process: those of each part. Whoever starts it has read them from wherever they are configured.

use gristmill_api::TokenOptions;
use gristmill_core::Limits;
use gristmill_dispatch::{PruneOptions, RelayOptions};
use gristmill_queue::{InProcessOptions, RabbitMqOptions};
use gristmill_worker::WorkerOptions;

/// What one process is made of.
#[derive(Clone)]
pub struct Options {
    /// What is kept.
    pub database: DatabaseOptions,
    /// What carries jobs to workers.
    pub broker: BrokerOptions,
    /// How the relay works.
    pub relay: RelayOptions,
    /// What is kept of what has ended.
    pub retention: PruneOptions,
    /// What a definition may be, and what its executions may grow to.
    pub limits: Limits,
    /// What nodes with effects may do.
    pub effects: gristmill_effects::Options,
    /// The API, where the process serves it; its tokens are made of [`Options::tokens`].
    pub api: gristmill_api::Options,
    /// Which JSON Web Tokens the API believes; `None` = none.
    pub tokens: Option<TokenOptions>,
    /// The worker, where the process works.
    pub worker: WorkerOptions,
}

/// Which database, and whose it is.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// How it is reached.
    pub store: gristmill_store::Options,
    /// Whether this process has it to itself: then it brings the schema up to date at start, and takes up what the last
    /// process left unfinished.
    pub own: bool,
}

/// Which broker.
#[derive(Clone)]
pub enum BrokerOptions {
    /// Queues within the process.
    InProcess(InProcessOptions),
    /// A server.
    RabbitMq(RabbitMqOptions),
}
