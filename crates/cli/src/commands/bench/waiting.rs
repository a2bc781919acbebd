//! `gristmill bench waiting`

use std::sync::Arc;
use std::time::Duration;

use gristmill_bench::waiting::{Options, run};

use super::show::Bars;
use super::system::spawned;
use super::{failed, print};
use crate::commands::Context;
use crate::error::Error;

/// Measure executions that wait for the same moment: what they cost until then, and how soon they go on.
///
/// On a system of its own, as with --spawn. Each execution runs up to a `wait` node and suspends. When its moment has come
/// it has to leave WAITING in time, and then to start in time once it is its turn and the worker has a free slot; the exit
/// code is 1 when one does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases, and AMQP_URL.

Examples:
  gristmill bench waiting
  gristmill bench waiting --executions 1000 --lead 15
  GRISTMILL__WORKER__CONCURRENCY=256 gristmill bench waiting")]
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
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let options = Options {
            executions: self.executions,
            in_flight: self.in_flight,
            lead: Duration::from_secs(self.lead),
            slots: loaded.config.worker.concurrency.get() as u64,
            within: Duration::from_millis(self.within),
            spawn: spawned(&loaded.config, "bench waiting")?,
        };
        let bars = Arc::new(Bars::new(progress));
        let report = run(options, shutdown, bars.clone()).await;
        bars.finish();
        let report = report.map_err(failed)?;
        print(&report)?;
        match report.missed() {
            None => Ok(()),
            Some(missed) => Err(Error::Failed(missed)),
        }
    }
}
