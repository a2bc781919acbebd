//! `gristmill-tests waiting`

use std::time::Duration;

use gristmill_tests::bench::Error;
use gristmill_tests::bench::waiting::{Options, run};

use super::{Context, print, server, setting};

/// Measure executions that wait for the same moment: what they cost until then, and how soon they go on.
///
/// On a system of its own, as with `gristmill bench --spawn`. Each execution runs up to a `wait` node and suspends. When its moment has come
/// it has to leave WAITING in time, and then to start in time once it is its turn and the worker has a free slot; the exit
/// code is 1 when one does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases, and AMQP_URL. The binary is GRISTMILL_BIN, or what was
built beside this program, with the same profile.

Examples:
  gristmill-tests waiting
  gristmill-tests waiting --executions 1000 --lead 15
  GRISTMILL__WORKER__CONCURRENCY=256 gristmill-tests waiting")]
pub struct Args {
    /// How many executions wait.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// How many are submitted at a time.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    in_flight: u64,
    /// From the first submit to the moment that all wait for; all have to be waiting five seconds before it.
    #[arg(long, value_name = "SECONDS", default_value_t = 45, value_parser = clap::value_parser!(u64).range(6..=3_600))]
    lead: u64,
    /// How late each may leave WAITING, and then start when it is its turn.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2_000)]
    within: u64,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        server("DATABASE_URL")?;
        server("AMQP_URL")?;
        let options = Options {
            executions: self.executions,
            in_flight: self.in_flight,
            lead: Duration::from_secs(self.lead),
            slots: setting("worker", "concurrency")? as u64,
            within: Duration::from_millis(self.within),
        };
        let report = run(options, context.shutdown, context.show).await?;
        print(&report)?;
        match report.missed() {
            None => Ok(()),
            Some(missed) => Err(Error::Missed(missed)),
        }
    }
}
