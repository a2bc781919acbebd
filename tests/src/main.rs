//! `gristmill-tests`: what is more than a test and less than a product.

#![allow(
    clippy::expect_used,
    reason = "a soak whose surroundings are broken has to end"
)]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gristmill_tests::{SoakOptions, soak};

/// Try Gristmill as a whole.
#[derive(Debug, Parser)]
#[command(name = "gristmill-tests")]
enum Command {
    /// Run a whole system under load, and inflict random faults on it.
    ///
    /// Starts PostgreSQL and RabbitMQ servers of its own. The binary under test is GRISTMILL_BIN, or what a debug build
    /// has left behind. Exits with 1 when an invariant is broken.
    Soak {
        /// From which every fault, its time and its length follow [default: a fresh one, which is printed].
        #[arg(long)]
        seed: Option<u64>,
        /// How long faults are inflicted.
        #[arg(long, default_value_t = 2.0)]
        minutes: f64,
        /// How many of them, on average.
        #[arg(long, default_value_t = 45)]
        faults_per_minute: u32,
        /// Leave the servers running, for a look at what is in them.
        #[arg(long)]
        keep: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Soak {
        seed,
        minutes,
        faults_per_minute,
        keep,
    } = Command::parse();
    let options = SoakOptions {
        seed: seed.unwrap_or_else(gristmill_tests::fresh_seed),
        length: Duration::from_secs_f64(minutes * 60.0),
        faults_per_minute,
        keep,
    };
    let soaked = tokio::select! {
        summary = soak(&options) => summary,
        // The servers are stopped when everything is dropped.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    println!("{}", soaked.json());
    if soaked.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
