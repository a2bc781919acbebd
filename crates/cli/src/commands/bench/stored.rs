//! `gristmill bench stored`

use std::sync::Arc;
use std::time::Duration;

use gristmill_bench::stored::{Options, run};

use super::show::Bars;
use super::system::spawned;
use super::{Load, failed, print};
use crate::commands::Context;
use crate::error::Error;

/// Measure what an execution costs in a database that holds many already, and beside a transaction that is held open.
///
/// On a system of its own, as with --spawn: 1,000 finished executions are stored first, then a hundred times as many, up
/// to the number given; at each, so many are submitted, and their cost is compared with that beside the first thousand.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases, and AMQP_URL. A million executions take about 2 GB while it runs.

Examples:
  gristmill bench stored
  gristmill bench stored --up-to 100000 --hold-transaction 0      a minute, without the open transaction")]
pub struct Args {
    #[command(flatten)]
    load: Load,
    /// The largest number of stored executions.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    up_to: u64,
    /// At the end, submit for so long while a transaction is open, and measure then; 0 leaves that out.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    hold_transaction: u64,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let options = Options {
            up_to: self.up_to,
            executions: self.load.executions,
            in_flight: self.load.in_flight,
            hold: Duration::from_secs(self.hold_transaction),
            spawn: spawned(&loaded.config, "bench stored")?,
        };
        let bars = Arc::new(Bars::new(progress));
        let report = run(options, shutdown, bars.clone()).await;
        bars.finish();
        let report = report.map_err(failed)?;
        print(&report)?;
        match report.failed() {
            0 => Ok(()),
            failed => Err(Error::Failed(format!("{failed} executions did not complete"))),
        }
    }
}
