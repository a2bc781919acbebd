//! Why a benchmark has no figures.

use std::path::PathBuf;

/// A benchmark that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// A statement that many shared failed for all of them; its cause has been logged.
    #[error("a statement of a group failed")]
    Group,
    /// The database URL is none.
    #[error("the database URL is not valid")]
    DatabaseUrl(#[source] url::ParseError),
    /// The broker cannot be used.
    #[error("the broker cannot be used")]
    Broker(#[source] gristmill_queue::Error),
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
    /// The operating system gave no runtime.
    #[error("the benchmark's thread could not be set up")]
    Runtime(#[source] std::io::Error),
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
}
