//! System: the whole system over HTTP, as a producer meets it that waits for each execution's end.

mod load;
mod report;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::http::Target;
use crate::meter::{MemoryMeter, Meter};
use crate::spawn::Site;
use crate::{Error, Show, SpawnOptions};
pub use load::{Ended, Load, Producer};
pub use report::Report;

/// How much, and against what.
pub struct Options {
    /// How many executions are submitted.
    pub executions: u64,
    /// How many are submitted and not yet known as ended, at any moment.
    pub in_flight: u64,
    /// Which system.
    pub system: System,
}

/// The system that is measured.
pub enum System {
    /// One that runs already.
    Running {
        /// Where its API is: `http://HOST:PORT`.
        url: String,
        /// A key of the organization that the executions are for.
        api_key: String,
    },
    /// One API and one worker, started for this and taken away afterwards.
    Spawned(SpawnOptions),
}

/// Submits the executions, each once the one before it in its turn has ended, and says how they went.
///
/// # Errors
/// When something could not be started, or the API refused something.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    show: Arc<dyn Show>,
) -> Result<Report, Error> {
    let load = Load {
        executions: options.executions,
        in_flight: options.in_flight,
    };
    match options.system {
        System::Running { url, api_key } => {
            let target = Target::new(&url, &api_key)?;
            let measured = shutdown.run_until_cancelled(measure(load, &target, None, &show));
            measured.await.unwrap_or(Err(Error::Interrupted))
        }
        System::Spawned(spawn) => {
            let mut site = Site::new(spawn)?;
            let measured = shutdown
                .run_until_cancelled(async {
                    let target = site.start().await?;
                    measure(load, &target, Some(&site), &show).await
                })
                .await;
            site.close().await;
            measured.unwrap_or(Err(Error::Interrupted))
        }
    }
}

async fn measure(
    load: Load,
    target: &Target,
    site: Option<&Site>,
    show: &Arc<dyn Show>,
) -> Result<Report, Error> {
    let producer = Producer::new(target).await?;
    show.begin("submitting", load.executions);
    let processes = site.map(Site::processes).unwrap_or_default();
    let servers = site.map(Site::servers);
    let meter = Meter::start(&processes, servers.as_ref().map_or(&[], |servers| servers));
    let memory = MemoryMeter::start(&processes);
    let ended = producer.drive(load, show).await?;
    let spent = meter.per_thousand(load.executions);
    Ok(Report::new(load, ended, spent, memory.finish()))
}
