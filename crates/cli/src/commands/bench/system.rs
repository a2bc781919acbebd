//! `gristmill bench`, without a subcommand

use std::sync::Arc;

use gristmill_bench::SpawnOptions;
use gristmill_bench::system::{Options, System, run};
use secrecy::ExposeSecret;

use super::show::Bars;
use super::{Load, failed, print};
use crate::commands::Context;
use crate::config::Config;
use crate::distributed;
use crate::error::Error;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(flatten)]
    load: Load,
    /// Start an API and a worker for this, on a new database and queues of their own that are deleted afterwards.
    ///
    /// Needs DATABASE_URL, of a role that may create databases, and AMQP_URL. The two processes read the environment as
    /// always: GRISTMILL__WORKER__CONCURRENCY=128 gristmill bench --spawn
    #[arg(long, conflicts_with_all = ["url", "api_key"])]
    spawn: bool,
    /// Measure a system that runs already; the workflow and the executions stay in its database.
    #[arg(
        long,
        value_name = "URL",
        requires = "api_key",
        required_unless_present = "spawn"
    )]
    url: Option<String>,
    /// A key of the organization that the executions are for.
    #[arg(
        long,
        value_name = "KEY",
        requires = "url",
        env = "GRISTMILL_API_KEY",
        hide_env_values = true
    )]
    api_key: Option<String>,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let system = match (self.url, self.api_key) {
            (Some(url), Some(api_key)) => System::Running { url, api_key },
            _ => System::Spawned(spawned(&loaded.config, "bench --spawn")?),
        };
        let options = Options {
            executions: self.load.executions,
            in_flight: self.load.in_flight,
            system,
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

/// Processes of this very program.
pub(super) fn spawned(config: &Config, command: &str) -> Result<SpawnOptions, Error> {
    distributed::require_services(config, command)?;
    Ok(SpawnOptions {
        binary: std::env::current_exe().map_err(Error::Runtime)?,
        database_url: config.database.url.expose_secret().to_owned(),
        broker_url: config.broker.url.expose_secret().to_owned(),
    })
}
