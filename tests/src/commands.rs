//! The commands: one file each.

mod engine;
mod floor;
mod listing;
mod soak;
mod stored;
mod waiting;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use gristmill_tests::bench::{Error, Lines};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// What `gristmill-tests` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Soak(soak::Args),
    Floor(floor::Args),
    Engine(engine::Args),
    Listing(listing::Args),
    Stored(stored::Args),
    Waiting(waiting::Args),
}

/// What every benchmark is given.
pub struct Context {
    /// Where progress is shown.
    pub show: Arc<Lines>,
    /// Cancelled by the first signal.
    pub shutdown: CancellationToken,
}

/// How much is run, and how much of it at a time.
#[derive(Debug, clap::Args)]
struct Load {
    /// How many executions to run.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// How many are submitted and not yet known as ended, at any moment.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    in_flight: u64,
}

impl Command {
    /// Does it.
    pub async fn run(self, shutdown: CancellationToken) -> ExitCode {
        let context = Context {
            show: Arc::default(),
            shutdown,
        };
        let measured = match self {
            Self::Soak(args) => return args.run(context).await,
            Self::Floor(args) => args.run(context).await,
            Self::Engine(args) => args.run(context).await,
            Self::Listing(args) => args.run(context).await,
            Self::Stored(args) => args.run(context).await,
            Self::Waiting(args) => args.run(context).await,
        };
        match measured {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                report(&error);
                exit_code(&error)
            }
        }
    }
}

/// The whole chain.
fn report(error: &Error) {
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        eprintln!("  caused by: {error}");
        cause = error.source();
    }
}

/// As `gristmill` does.
fn exit_code(error: &Error) -> ExitCode {
    match error {
        Error::Unset(_) | Error::Setting(_) | Error::NoBinary(_) => ExitCode::from(2),
        Error::Interrupted => ExitCode::from(130),
        _ => ExitCode::FAILURE,
    }
}

/// The URL of a server.
fn server(variable: &'static str) -> Result<String, Error> {
    std::env::var(variable).map_err(|_| Error::Unset(variable))
}

/// The configuration's defaults.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The number that the processes that are started find at a key of the configuration, by their environment or by default.
fn setting(section: &str, key: &str) -> Result<usize, Error> {
    let variable = format!("GRISTMILL__{section}__{key}").to_uppercase();
    let default = || {
        let value = DEFAULTS
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        value.unwrap_or_default().to_owned()
    };
    let value = std::env::var(&variable).unwrap_or_else(|_| default());
    value.parse().map_err(|_| Error::Setting(variable))
}

fn print(report: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(report).map_err(Error::Json)?;
    println!("{line}");
    Ok(())
}
