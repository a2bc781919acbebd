//! Error: why a benchmark has no figures.

use std::path::PathBuf;

/// A benchmark that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A process cannot be started.
    #[error("{} cannot be started", binary.display())]
    Start {
        /// The program.
        binary: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A process that was started did not do what it should.
    #[error("`gristmill {command}` {what}; the end of its log:\n{log}")]
    Process {
        /// What was started.
        command: String,
        /// What it did or did not do.
        what: &'static str,
        /// The last lines that it logged.
        log: String,
    },
    /// There is no place for the logs of processes.
    #[error("there is no directory for the logs")]
    Directory(#[source] std::io::Error),
    /// The system's URL cannot be used.
    #[error("{0}")]
    Url(String),
    /// The API cannot be reached.
    #[error("the API at {address} cannot be reached")]
    Connect {
        /// Where it should be.
        address: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The API did not answer.
    #[error("{doing} failed")]
    Http {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: hyper::Error,
    },
    /// The API did not answer as hoped.
    #[error("{doing} failed: the API answered {status}: {body}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The answer's status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// The API's answer is none that this version knows.
    #[error("the API's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// A part of the benchmark panicked.
    #[error("a part of the benchmark ended early")]
    Part(#[source] tokio::task::JoinError),
    /// The benchmark was told to stop.
    #[error("stopped before it was done")]
    Interrupted,
}
