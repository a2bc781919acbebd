//! `gristmill-tests listing`

use gristmill_tests::bench::Error;
use gristmill_tests::bench::listing::{Options, run};

use super::{Context, print, server};

/// Measure what each list of executions reads in a database that holds many.
///
/// Every combination of filters, first page and deep page: the blocks that PostgreSQL reads for it, on a connection like the
/// API's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create databases. A million executions of each organization take some minutes to
store, and 4 GB while it runs.

Examples:
  gristmill-tests listing
  gristmill-tests listing --executions 100000           a tenth of it, in half a minute")]
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
        server("DATABASE_URL")?;
        let options = Options {
            executions: self.executions,
        };
        let report = run(options, context.shutdown, context.show).await?;
        print(&report)?;
        if report.most_blocks() > self.at_most {
            return Err(Error::Missed(format!(
                "a list read {} blocks, and {} are allowed",
                report.most_blocks(),
                self.at_most
            )));
        }
        Ok(())
    }
}
