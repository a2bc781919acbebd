//! `gristmill-tests floor`

use gristmill_tests::bench::Error;
use gristmill_tests::bench::floor::{Options, run};

use super::{Context, Load, print, server, setting};

/// Measure the least that any such system must do, without Gristmill.
///
/// For each execution: one committed insert, one confirmed publish to a quorum queue, one delivery and its ack, one update
/// to RUNNING, one update to COMPLETED with one journal insert. Statements are prepared and pipelined, over as many
/// connections as an API and a worker have (database.pool_size each).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create schemas, and AMQP_URL. Tables and queue are deleted afterwards.

Examples:
  gristmill-tests floor --in-flight 256                 one statement for each execution
  gristmill-tests floor --grouped --in-flight 1024      one for whatever piled up while the last was under way")]
pub struct Args {
    #[command(flatten)]
    load: Load,
    /// Many executions a statement: a group is whatever piled up while the last one was under way.
    #[arg(long)]
    grouped: bool,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let options = Options {
            executions: self.load.executions,
            in_flight: self.load.in_flight,
            grouped: self.grouped,
            database_url: server("DATABASE_URL")?,
            broker_url: server("AMQP_URL")?,
            pool_size: setting("database", "pool_size")?,
        };
        print(&run(options, context.shutdown, context.show).await?)
    }
}
