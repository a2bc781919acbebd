//! `gristmill bench`

mod sandbox;
mod show;

use std::io::Write;
use std::sync::Arc;

use gristmill_bench::system::{Options, Report, System, run};
use serde::Serialize;

use super::Context;
use crate::config::Config;
use crate::distributed;
use crate::error::Error;
use sandbox::Sandbox;
use show::Bars;

/// Measure how fast it is: one line of JSON on stdout.
///
/// A whole system over HTTP: executions of a small workflow (trigger → A → {B, C} → D, every node's result persisted) are
/// submitted with `Prefer: wait`, so many at a time, and each is followed to its end.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill bench --spawn                               an API and a worker of its own, on DATABASE_URL and AMQP_URL
  gristmill bench --spawn --in-flight 1 --executions 1000     one at a time: the latency without a queue
  gristmill bench --url http://127.0.0.1:8080 --api-key $KEY  a system that runs already

Compare figures of one sitting on an otherwise idle machine only. Progress is on stderr.
What each figure means: docs/benchmarks.md")]
pub struct Args {
    /// How many executions to run.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// How many are submitted and not yet known as ended, at any moment.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    in_flight: u64,
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
        let report = match (&self.url, &self.api_key) {
            (Some(url), Some(api_key)) => {
                let system = System::Running {
                    url: url.clone(),
                    api_key: api_key.clone(),
                };
                self.measure(system, &context).await?
            }
            _ => self.measure_spawned(&context).await?,
        };
        print(&report)?;
        match report.failed() {
            0 => Ok(()),
            failed => Err(Error::Failed(format!("{failed} executions did not complete"))),
        }
    }

    async fn measure_spawned(&self, context: &Context) -> Result<Report, Error> {
        let config: &Config = &context.loaded.config;
        distributed::require_services(config, "bench --spawn")?;
        let sandbox = Sandbox::create(config).await?;
        let measured = match sandbox.system() {
            Ok(spawn) => self.measure(System::Spawned(spawn), context).await,
            Err(error) => Err(error),
        };
        let deleted = sandbox.delete().await;
        let report = measured?;
        deleted.map(|()| report)
    }

    async fn measure(&self, system: System, context: &Context) -> Result<Report, Error> {
        let options = Options {
            executions: self.executions,
            in_flight: self.in_flight,
            system,
        };
        let bars = Arc::new(Bars::new(context.progress.clone()));
        let report = run(options, context.shutdown.clone(), bars.clone()).await;
        bars.finish();
        report.map_err(|error| match error {
            gristmill_bench::Error::Interrupted => Error::Interrupted,
            error => Error::Bench(error),
        })
    }
}

fn print(report: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(report).map_err(Error::Figures)?;
    writeln!(std::io::stdout(), "{line}").map_err(|source| Error::Pipe("cannot write the figures", source))
}
