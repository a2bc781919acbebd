//! `gristmill bench floor`

use std::sync::Arc;

use gristmill_bench::floor::{Options, run};
use secrecy::ExposeSecret;

use super::show::Bars;
use super::{Load, failed, print};
use crate::commands::Context;
use crate::distributed;
use crate::error::Error;

/// Measure the least that any such system must do, without Gristmill.
///
/// For each execution: one committed insert, one confirmed publish to a quorum queue, one delivery and its ack, one update
/// to RUNNING, one update to COMPLETED with one journal insert. Statements are prepared and pipelined, over as many
/// connections as an API and a worker have (database.pool_size each).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create schemas, and AMQP_URL. Tables and queue are deleted afterwards.

Examples:
  gristmill bench floor --in-flight 256                 one statement for each execution
  gristmill bench floor --grouped --in-flight 1024      one for whatever piled up while the last was under way")]
pub struct Args {
    #[command(flatten)]
    load: Load,
    /// Many executions a statement: a group is whatever piled up while the last one was under way.
    #[arg(long)]
    grouped: bool,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let config = loaded.config;
        distributed::require_services(&config, "bench floor")?;
        let options = Options {
            executions: self.load.executions,
            in_flight: self.load.in_flight,
            grouped: self.grouped,
            database_url: config.database.url.expose_secret().to_owned(),
            broker_url: config.broker.url.expose_secret().to_owned(),
            pool_size: config.database.pool_size.get(),
        };
        let bars = Arc::new(Bars::new(progress));
        let report = run(options, shutdown, bars.clone()).await;
        bars.finish();
        print(&report.map_err(failed)?)
    }
}
