//! `gristmill worker`

use gristmill_server::{System, listen, metrics};

use super::{Context, Flag, given};
use crate::distributed;
use crate::error::Error;

/// Run executions from the queue.
///
/// Start as many as wanted, anywhere; stop any of them at any moment. SIGTERM drains: node runs in flight may end
/// within the grace period, and what is unfinished is given to other workers at once. The executions of a worker that
/// was killed go to others at the end of its lease.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL and AMQP_URL, and a migrated database.

Examples:
  gristmill worker
  gristmill worker --lanes bulk --concurrency 16")]
pub struct Args {
    /// The lanes to take jobs from, separated by commas [default: all].
    #[arg(long, value_name = "LANES")]
    lanes: Option<String>,
    /// How many executions to run at the same time [default: the key worker.concurrency].
    #[arg(long, value_name = "N")]
    concurrency: Option<u16>,
}

const ADVICE: &str = "Choose another address or port for its metrics with GRISTMILL__WORKER__METRICS_LISTEN.";

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([
            ("--lanes", "worker.lanes", self.lanes.clone()),
            (
                "--concurrency",
                "worker.concurrency",
                self.concurrency.map(|n| n.to_string()),
            ),
        ])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context { loaded, shutdown, .. } = context;
        distributed::require_services(&loaded.config, "worker")?;
        let recorder = metrics::install()?;
        if let Some(address) = loaded.config.worker.metrics_listen() {
            let listener = listen(address, ADVICE).await?;
            tokio::spawn(metrics::serve(listener, recorder, shutdown.clone()));
        }
        let system = System::start(loaded.config.options("gristmill-worker")).await?;
        let worked = match shutdown.run_until_cancelled(system.check_schema()).await {
            Some(Ok(())) => system.work(shutdown).await,
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        system.close().await;
        Ok(worked?)
    }
}
