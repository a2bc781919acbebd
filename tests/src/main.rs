//! `gristmill-tests`: what is more than a test and less than a product.

#![allow(
    clippy::expect_used,
    reason = "a soak whose surroundings are broken has to end"
)]

mod commands;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use commands::Command;

/// Try Gristmill as a whole, and measure its parts.
///
/// Benchmarks print one line of JSON on stdout; progress is on stderr. Compare figures of one sitting on an otherwise idle
/// machine only. What each figure means: docs/benchmarks.md
#[derive(Debug, Parser)]
#[command(name = "gristmill-tests", max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    // One provider for every TLS client in the process.
    rustls::crypto::ring::default_provider().install_default().ok();
    command.run(on_signals()).await
}

/// A token that SIGTERM or SIGINT cancels. What was started is taken away then.
fn on_signals() -> CancellationToken {
    let mut terminate = signal(SignalKind::terminate()).expect("no signal handlers");
    let mut interrupt = signal(SignalKind::interrupt()).expect("no signal handlers");
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    shutdown
}
