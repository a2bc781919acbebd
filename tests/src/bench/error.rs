//! Error: why a benchmark has no figures.

use std::path::PathBuf;

/// A benchmark that could not be carried out, or whose figures are not good enough.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server that it needs is not named.
    #[error("{0} is not set: start the services with `eval \"$(scripts/services env)\"`, or name others")]
    Unset(&'static str),
    /// A key of the configuration has a value that is none.
    #[error("{0} is no number")]
    Setting(String),
    /// There is no binary to measure.
    #[error("there is no {}: build it as this program was, with `-p gristmill-cli`, or set GRISTMILL_BIN", .0.display())]
    NoBinary(PathBuf),
    /// The system could not be started, or refused something.
    #[error(transparent)]
    System(#[from] gristmill_bench::Error),
    /// The database cannot be reached.
    #[error("the database cannot be used")]
    Database(#[source] gristmill_store::Error),
    /// The database refused a statement.
    #[error("{doing} failed")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A statement that many shared failed for all of them; its cause has been printed.
    #[error("a statement of a group failed")]
    Group,
    /// The broker refused something.
    #[error("{doing} failed")]
    Amqp {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: lapin::Error,
    },
    /// A message is none of the benchmark's own.
    #[error("a message of the benchmark's own queue cannot be read")]
    Message,
    /// The operating system gave no runtime.
    #[error("the benchmark's thread could not be set up")]
    Runtime(#[source] std::io::Error),
    /// The API's answer is none that this version knows, or a value cannot be written.
    #[error("a JSON document cannot be read or written")]
    Json(#[source] serde_json::Error),
    /// The node kinds cannot be set up.
    #[error("the node kinds cannot be set up")]
    Registry(#[source] gristmill_engine::DuplicateKind),
    /// A graph of the benchmark's own does not compile: a defect.
    #[error("a graph of the benchmark's own has {} problem(s), the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Definition(Vec<gristmill_core::Problem>),
    /// The engine computed something else than it should: a defect.
    #[error("the engine computed something else than it should: {0}")]
    WrongOutput(String),
    /// Executions were still on their way when the moment came that all should have waited for.
    #[error(
        "only {waiting} of {executions} executions were waiting five seconds before their time; give a longer --lead"
    )]
    TooLate {
        /// How many had come to wait.
        waiting: u64,
        /// How many there should have been.
        executions: u64,
    },
    /// A part of the benchmark panicked.
    #[error("a part of the benchmark ended early")]
    Part(#[source] tokio::task::JoinError),
    /// The benchmark was told to stop.
    #[error("stopped before it was done")]
    Interrupted,
    /// The figures are not good enough.
    #[error("{0}")]
    Missed(String),
}
