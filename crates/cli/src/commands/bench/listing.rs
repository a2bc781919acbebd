//! `gristmill bench listing`

use std::sync::Arc;

use gristmill_bench::listing::{Options, run};
use secrecy::ExposeSecret;

use super::show::Bars;
use super::{failed, print};
use crate::commands::Context;
use crate::distributed::require_database;
use crate::error::Error;

/// Measure what each list of executions reads in a database that holds many.
///
/// Every combination of filters, first page and deep page: the blocks that PostgreSQL reads for it, on a connection like the
/// API's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases. A million executions of each organization take some minutes to
store, and 4 GB while it runs.

Examples:
  gristmill bench listing
  gristmill bench listing --executions 100000           a tenth of it, in half a minute")]
pub struct Args {
    /// How many executions the organization has, and how many another one.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(2_000..))]
    executions: u64,
    /// Fail when a list reads more blocks than this.
    #[arg(long, value_name = "N", default_value_t = 300)]
    at_most: u64,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        require_database(&loaded.config, "bench listing")?;
        let url = loaded.config.database.url.expose_secret();
        let options = Options {
            executions: self.executions,
            database_url: url.to_owned(),
        };
        let bars = Arc::new(Bars::new(progress));
        let report = run(options, shutdown, bars.clone()).await;
        bars.finish();
        let report = report.map_err(failed)?;
        print(&report)?;
        if report.most_blocks() > self.at_most {
            return Err(Error::Failed(format!(
                "a list read {} blocks, and {} are allowed",
                report.most_blocks(),
                self.at_most
            )));
        }
        Ok(())
    }
}
