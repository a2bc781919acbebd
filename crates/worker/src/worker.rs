//! A worker's life: consume, claim, run, and at the end drain.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{boxed, failpoint};
use gristmill_dispatch::{Plans, RelayWakeup};
use gristmill_queue::Broker;
use gristmill_store::Protocol;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::WorkerOptions;
use crate::execute::{Shared, execute};
use crate::holder::{Holder, HolderParts};
use crate::intake::{Intake, Taken};
use crate::lease::Leases;
use crate::writes::Writes;

/// What a worker works with.
pub struct Dependencies {
    /// The statements that move executions.
    pub protocol: Arc<dyn Protocol>,
    /// The same statements on a connection of their own, for renewing leases whatever else goes on.
    pub renewals: Arc<dyn Protocol>,
    /// The queue.
    pub broker: Arc<dyn Broker>,
    /// What definitions compile to.
    pub plans: Arc<Plans>,
    /// Woken when something was made due that need not wait for the relay's next look.
    pub relay: RelayWakeup,
}

/// Takes jobs off the queue and runs their executions.
pub struct Worker {
    options: WorkerOptions,
    dependencies: Dependencies,
}

/// A worker that could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lanes could not be consumed from.
    #[error("cannot consume from the lanes")]
    Subscribe(#[source] gristmill_queue::Error),
    /// The system gave no thread for the leases.
    #[error("cannot start the thread that renews leases")]
    Thread(#[source] std::io::Error),
}

/// What aborted effects get for being written down, on top of the grace period.
const LAST_WRITES: Duration = Duration::from_secs(5);

impl Worker {
    /// A worker that has not started yet.
    pub fn new(options: WorkerOptions, dependencies: Dependencies) -> Self {
        Self {
            options,
            dependencies,
        }
    }

    /// Works until `shutdown`, then drains: takes nothing more, lets effects in flight end within the grace period,
    /// aborts the rest, and gives every unfinished execution back to the others.
    ///
    /// # Errors
    /// [`Error`] when it cannot start.
    #[boxed]
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let Self {
            options,
            dependencies,
        } = self;
        let Dependencies {
            protocol,
            renewals,
            broker,
            plans,
            relay,
        } = dependencies;
        let leases = Leases::new(options.lease);
        // The leases outlive the shutdown: what is held must be renewed until it is given back.
        let drained = CancellationToken::new();
        let keeper = leases
            .keep(renewals, options.renew_every, drained.clone())
            .await
            .map_err(Error::Thread)?;
        let subscription = broker
            .subscribe(&options.lanes, options.concurrency)
            .map_err(Error::Subscribe)?;
        let mut intake = Intake {
            subscription,
            unclaimed: Vec::new(),
            postponed: Vec::new(),
            store: protocol.clone(),
            slots: Arc::new(Semaphore::new(usize::from(options.concurrency))),
            worker: options.name.clone(),
            lease: options.lease,
        };
        let crew = Crew {
            leases: leases.clone(),
            parts: HolderParts {
                writes: Arc::new(Writes::new(protocol.clone())),
                store: protocol.clone(),
                plans: plans.clone(),
                relay,
                max_depth: i32::try_from(options.engine.limits.max_child_depth).unwrap_or(i32::MAX),
            },
            shared: Arc::new(Shared {
                plans,
                store: protocol,
                engine: options.engine,
            }),
        };
        info!(worker = options.name, concurrency = options.concurrency, lanes = ?options.lanes, "working");

        let mut running = JoinSet::new();
        while let Some(group) = intake.take(&shutdown).await {
            for taken in group {
                crew.start(&mut running, taken);
            }
            while let Some(ended) = running.try_join_next() {
                note_panic(ended);
            }
        }
        info!(executions = running.len(), "draining");
        failpoint::reach("drain.begun");
        leases.drain();
        tokio::join!(intake.close(), drain(&mut running, &leases, options.drain_grace));
        drained.cancel();
        // The thread ends within one tick; nothing is held any more, so nobody needs to wait for it.
        drop(keeper);
        info!("drained");
        Ok(())
    }
}

/// What every execution is started with.
struct Crew {
    leases: Leases,
    parts: HolderParts,
    shared: Arc<Shared>,
}

impl Crew {
    fn start(&self, running: &mut JoinSet<()>, taken: Taken) {
        let Taken {
            claimed,
            token,
            sent,
            permit,
        } = taken;
        let lease = self
            .leases
            .hold(claimed.id.clone(), claimed.attempt, claimed.inbox, sent);
        let holder = Holder::new(&claimed, token, lease, self.parts.clone());
        let shared = self.shared.clone();
        running.spawn(async move {
            execute(&shared, claimed, holder).await;
            // The slot is free only when the execution has ended, however it did.
            drop(permit);
        });
    }
}

/// Waits for what runs. The engine ends effects at the grace period; whatever has not ended some seconds later is
/// stopped without a word, and its lease runs out.
async fn drain(running: &mut JoinSet<()>, leases: &Leases, grace: Duration) {
    let all = async {
        while let Some(ended) = running.join_next().await {
            note_panic(ended);
        }
    };
    if tokio::time::timeout(grace + LAST_WRITES, all).await.is_err() {
        warn!(
            executions = running.len(),
            "not everything could be given back in time"
        );
        leases.stop();
        running.shutdown().await;
    }
}

/// A panic outside of a node is a defect of Gristmill. The execution's lease runs out, which counts as a loss.
fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(cause) = ended {
        error!(
            error = &cause as &dyn std::error::Error,
            "an execution's task ended early"
        );
    }
}
