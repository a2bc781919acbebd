//! Error: what ends a command early, how it is told, and with which exit code.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::ConfigError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration does not load.
    #[error("the configuration is not usable")]
    Config(#[from] ConfigError),
    /// The process, or a part of it, did not start or ended early.
    #[error(transparent)]
    Server(#[from] gristmill_server::Error),
    /// The command cannot do what was asked; the text says what can be done instead.
    #[error("{0}")]
    Usage(String),
    /// A definition has problems; they have been printed.
    #[error("{file} has {count} problem(s); nothing was run")]
    Definition {
        /// Which file.
        file: String,
        /// How many.
        count: usize,
    },
    /// Executions failed; they have been printed.
    #[error("{0}")]
    Failed(String),
    /// The operating system gave no runtime or no signal handlers.
    #[error("the process could not be set up")]
    Runtime(#[source] std::io::Error),
    /// A file cannot be read or written.
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
    /// A file that the caller named cannot be read.
    #[error("cannot read the {what} {}", path.display())]
    Named {
        /// What it is: "definition", "input in".
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Standard input or output is gone.
    #[error("{0}")]
    Pipe(&'static str, #[source] std::io::Error),
    /// The database said no, or did not answer.
    #[error("{doing} failed")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: gristmill_store::Error,
    },
    /// The database refused a statement that is none of the store's.
    #[error("{doing} failed")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The broker's options make no sense.
    #[error("the broker cannot be used")]
    Broker(#[source] gristmill_queue::Error),
    /// An execution could not be recorded.
    #[error("submitting an execution failed")]
    Submit(#[source] gristmill_dispatch::AdmissionError),
    /// The API refused a call, or did not answer.
    #[error("calling the API failed")]
    Api(#[from] gristmill_client::Error),
    /// The API answered with something else than was expected.
    #[error("the API's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// A built-in file is not what it should be: a defect of the build.
    #[error("a built-in file cannot be read")]
    BuiltIn(#[source] serde_json::Error),
    /// A benchmark has no figures.
    #[error("the benchmark ended without figures")]
    Bench(#[source] gristmill_bench::Error),
    /// A report cannot be written as JSON: a defect.
    #[error("the figures cannot be printed")]
    Figures(#[source] serde_json::Error),
    /// A signal came before the work was done.
    #[error("stopped before it was done")]
    Interrupted,
}

impl Error {
    /// The whole chain, once, and what to do next where that is known. Ends with a newline.
    pub fn report(&self) -> String {
        let mut text = format!("error: {self}\n");
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing into a String cannot fail.
            writeln!(text, "  caused by: {error}").ok();
            cause = error.source();
        }
        if let Some(advice) = self.advice() {
            writeln!(text, "{advice}").ok();
        }
        text
    }

    /// 2 when the caller has to change what was asked, 1 when something failed while running.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Usage(_) | Self::Definition { .. } | Self::Named { .. } => {
                ExitCode::from(2)
            }
            Self::Api(error) if is_callers(error) => ExitCode::from(2),
            // What shells report for a program that Ctrl-C ended.
            Self::Interrupted => ExitCode::from(130),
            _ => ExitCode::FAILURE,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Config(_) => Some(
                "Every key, with its meaning, is in config/default.toml; `gristmill config` prints what is in force.",
            ),
            Self::Server(gristmill_server::Error::DataDir(_)) => {
                Some("Stop the other process, or name another directory with --data-dir.")
            }
            Self::Server(gristmill_server::Error::Listen { advice, .. }) => Some(advice),
            Self::Store { source, .. } | Self::Server(gristmill_server::Error::Store { source, .. }) => {
                database_advice(source)
            }
            Self::Api(error) if error.is_unreachable() => Some(
                "Is there an API? `gristmill dev` starts one on this machine; --url or GRISTMILL_URL names another.",
            ),
            _ => None,
        }
    }
}

fn database_advice(error: &gristmill_store::Error) -> Option<&'static str> {
    match error {
        gristmill_store::Error::Connect(_) => Some(
            "Check that the database runs and that DATABASE_URL names it; `gristmill config` shows what is in force.",
        ),
        gristmill_store::Error::Unmigrated { .. } => {
            Some("Run `gristmill migrate` with the same DATABASE_URL, then start again.")
        }
        _ => None,
    }
}

/// Whether the call would fail whenever and wherever it were made: what was asked for makes no sense.
fn is_callers(error: &gristmill_client::Error) -> bool {
    match error {
        gristmill_client::Error::Url(_) | gristmill_client::Error::Key => true,
        error => error
            .problem()
            .is_some_and(|problem| matches!(problem.status, 400 | 413 | 422)),
    }
}
