//! The binary `gristmill`: configuration, commands, and the wiring of all other crates.

mod commands;
mod config;
mod distributed;
mod error;
mod logging;
mod printable;
mod progress;
mod shutdown;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser};
use indicatif::MultiProgress;

use crate::commands::{Command, Context};
use crate::config::Sources;
use crate::error::Error;

/// Runs workflows from a queue.
///
/// New here? `gristmill demo` shows the whole system at work, and `gristmill dev` starts it for your own workflows;
/// neither needs anything installed.
#[derive(Debug, Parser)]
#[command(name = "gristmill", version, after_help = AFTER_HELP, arg_required_else_help = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// A TOML file with any subset of the keys that `gristmill config` prints.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A built-in set of values: `default` or `production`.
    #[arg(long, global = true, value_name = "NAME", env = "GRISTMILL_PROFILE")]
    profile: Option<String>,
    /// Log more: what Gristmill does, step by step.
    #[arg(long, short, global = true, action = ArgAction::SetTrue)]
    verbose: bool,
}

const AFTER_HELP: &str = "\
Embedded, with nothing installed:
  gristmill demo                     see 3,782 executions run
  gristmill dev                      API and worker in one process, http://127.0.0.1:8080
  gristmill run flow.json            run one definition, outputs on stdout

Distributed, on PostgreSQL and RabbitMQ:
  export DATABASE_URL=postgres://… AMQP_URL=amqp://…
  gristmill migrate                  bring the database's schema up to date
  gristmill admin bootstrap --organization Acme
  gristmill api                      as many as wanted
  gristmill worker                   as many as wanted

Exit codes: 0 done; 1 something failed while running; 2 the command, the configuration or a definition is
wrong, or the API says so of what it was sent; 130 a signal came before it was done.";

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without stderr there is nobody left to tell.
            write!(std::io::stderr().lock(), "{}", printable::lines(&error.report())).ok();
            error.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    let mut flags = cli.command.flags();
    if cli.verbose {
        flags.push((
            "--verbose",
            "log.filter",
            "info,gristmill=debug,lapin=off".to_owned(),
        ));
    }
    let loaded = config::load(&Sources {
        presets: cli.command.presets(),
        profile: cli.profile,
        file: cli.config,
        environment: environment(),
        flags,
    })?;
    let progress = MultiProgress::new();
    logging::init(&loaded.config.log, &progress);
    #[cfg(feature = "failpoints")]
    arm_failpoints()?;
    // One provider for every TLS client in the process; a second one would be an error of the build.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let done = runtime.block_on(async {
        let shutdown = shutdown::on_signals().map_err(Error::Runtime)?;
        cli.command
            .run(Context {
                loaded,
                progress,
                shutdown,
            })
            .await
    });
    // Whatever still runs has been given its time.
    runtime.shutdown_background();
    done
}

/// For tests: what they had done to this process and when has to be seen in its log.
#[cfg(feature = "failpoints")]
fn arm_failpoints() -> Result<(), Error> {
    let armed = gristmill_core::failpoint::arm().map_err(Error::Usage)?;
    if !armed.is_empty() {
        tracing::warn!(armed, "failpoints are armed");
    }
    Ok(())
}

/// What is not text cannot be one of our variables; a value that is not text is shown as a bad one.
fn environment() -> Vec<(String, String)> {
    let pairs = std::env::vars_os();
    pairs
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}
