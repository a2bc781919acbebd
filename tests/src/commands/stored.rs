//! `gristmill-tests stored`

use std::time::Duration;

use gristmill_tests::bench::Error;
use gristmill_tests::bench::stored::{Options, run};

use super::{Context, Load, print, server};

/// Measure what an execution costs in a database that holds many already, and beside a transaction that is held open.
///
/// On a system of its own, as with `gristmill bench --spawn`: 1,000 finished executions are stored first, then a hundred times as many, up
/// to the number given; at each, so many are submitted, and their cost is compared with that beside the first thousand.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases, and AMQP_URL. The binary is GRISTMILL_BIN, or what was
built beside this program, with the same profile. A million executions take about 2 GB while it runs.

Examples:
  gristmill-tests stored
  gristmill-tests stored --up-to 100000 --hold-transaction 0      a minute, without the open transaction")]
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
        server("DATABASE_URL")?;
        server("AMQP_URL")?;
        let options = Options {
            up_to: self.up_to,
            executions: self.load.executions,
            in_flight: self.load.in_flight,
            hold: Duration::from_secs(self.hold_transaction),
        };
        let report = run(options, context.shutdown, context.show).await?;
        print(&report)?;
        match report.failed() {
            0 => Ok(()),
            failed => Err(Error::Missed(format!("{failed} executions did not complete"))),
        }
    }
}
