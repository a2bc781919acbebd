//! Error: what keeps a process from starting, or ends it early.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a process did not start, or a part of it ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused what every process needs.
    #[error("the process could not be set up")]
    Runtime(#[source] std::io::Error),
    /// A file of the data directory cannot be read or written.
    #[error("{what} {}", path.display())]
    File {
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// How to choose another.
        advice: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The data directory is used by another process.
    #[error("the data directory cannot be used")]
    DataDir(#[source] gristmill_store::Error),
    /// The database said no, or did not answer.
    #[error("{doing} failed")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: gristmill_store::Error,
    },
    /// What the last process left unfinished cannot be taken up.
    #[error("what was unfinished cannot be taken up again")]
    Recover(#[source] gristmill_store::Error),
    /// The broker's options make no sense.
    #[error("the broker cannot be used")]
    Broker(#[source] gristmill_queue::Error),
    /// The HTTP options make no sense.
    #[error("the node kinds cannot be set up")]
    Kinds(#[source] gristmill_effects::Error),
    /// Two kinds have one name.
    #[error("the node kinds cannot be set up")]
    Registry(#[from] gristmill_engine::DuplicateKind),
    /// Tokens cannot be verified.
    #[error("tokens cannot be verified")]
    Tokens(#[from] gristmill_api::TokensError),
    /// The worker could not start.
    #[error("the worker could not start")]
    Worker(#[from] gristmill_worker::Error),
    /// A part of the process panicked.
    #[error("a part of the process ended early")]
    Part(#[source] tokio::task::JoinError),
    /// The metrics recorder could not be installed.
    #[error("metrics cannot be recorded")]
    Recorder(#[source] metrics_exporter_prometheus::BuildError),
}
