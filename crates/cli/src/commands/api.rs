//! `gristmill api`

use gristmill_server::{System, listen, metrics};

use super::{Context, Flag, given};
use crate::distributed;
use crate::error::Error;

/// Serve the HTTP API.
///
/// It validates requests, records executions in the database and publishes their jobs; workers run them. Start as many
/// as wanted, behind any load balancer. GET /readyz says whether the database and the broker answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL and AMQP_URL, and a migrated database.

Examples:
  gristmill api --listen 0.0.0.0:8080
  GRISTMILL_PROFILE=production gristmill api")]
pub struct Args {
    /// The address and port to listen on [default: the key api.listen].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

const ADVICE: &str = "Choose another address or port with --listen, or with GRISTMILL__API__LISTEN.";

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([("--listen", "api.listen", self.listen.clone())])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context { loaded, shutdown, .. } = context;
        distributed::require_services(&loaded.config, "api")?;
        let recorder = metrics::install()?;
        // First of all, so that a taken port is told before anything is connected.
        let listener = listen(loaded.config.api.listen, ADVICE).await?;
        let address = listener.local_addr().unwrap_or(loaded.config.api.listen);
        let system = System::start(loaded.config.options("gristmill-api")).await?;
        tracing::info!(%address, "listening");
        // The API serves while the database is still away: /healthz answers, and /readyz says what is missing.
        let stop = shutdown.child_token();
        let schema = async {
            let checked = stop
                .run_until_cancelled(system.check_schema())
                .await
                .unwrap_or(Ok(()))
                .map_err(Error::from);
            if checked.is_err() {
                stop.cancel();
            }
            checked
        };
        let ((), checked) = tokio::join!(system.serve(listener, recorder, stop.clone()), schema);
        system.close().await;
        checked
    }
}
