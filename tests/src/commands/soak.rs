//! `gristmill-tests soak`

use std::process::ExitCode;
use std::time::Duration;

use gristmill_tests::{SoakOptions, fresh_seed, soak};

use super::Context;

/// Run a whole system under load, and inflict random faults on it.
///
/// Starts PostgreSQL and RabbitMQ servers of its own. The binary under test is GRISTMILL_BIN, or what a debug build
/// has left behind. Exits with 1 when an invariant is broken.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  gristmill-tests soak --minutes 30")]
pub struct Args {
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
}

impl Args {
    pub async fn run(self, context: Context) -> ExitCode {
        let options = SoakOptions {
            seed: self.seed.unwrap_or_else(fresh_seed),
            length: Duration::from_secs_f64(self.minutes * 60.0),
            faults_per_minute: self.faults_per_minute,
            keep: self.keep,
        };
        // The servers are stopped when everything is dropped.
        let Some(soaked) = context.shutdown.run_until_cancelled(soak(&options)).await else {
            return ExitCode::from(130);
        };
        println!("{}", soaked.json());
        if soaked.violations.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
