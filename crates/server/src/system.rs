//! The wiring: every other crate's parts, built from their options and started in their order.

use gristmill_core::boxed;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gristmill_api::{Api, Services, Tokens};
use gristmill_dispatch::{Admission, EndWatch, Plans, Publisher, Submitter, Upkeep, Wakeups, drive};
use gristmill_engine::Registry;
use gristmill_queue::{Broker, InProcess, RabbitMq};
use gristmill_store::Store;
use gristmill_worker::{Dependencies, Worker, WorkerOptions};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::{BrokerOptions, DatabaseOptions, Error, Options};

/// The parts of one process.
///
/// They stop in two steps. The API and the worker stop at the process's shutdown and finish what they hold; the parts
/// below them (background tasks, publisher, broker) stop in [`System::close`], after that.
pub struct System {
    /// Everything that is kept.
    pub store: Store,
    /// The way in for executions.
    pub admission: Admission,
    /// Notices the end of executions.
    pub end_watch: EndWatch,
    /// The node kinds.
    pub registry: Arc<Registry>,
    /// What definitions compile to, for all parts.
    plans: Arc<Plans>,
    wakeups: Wakeups,
    broker: Arc<dyn Broker>,
    api: gristmill_api::Options,
    worker: WorkerOptions,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// How long the parts below get to stop. A run of a background task under way is carried to its end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The pause between looks at a database that is away when a process starts.
const SCHEMA_RETRY: Duration = Duration::from_secs(1);

impl System {
    /// Builds the parts and starts those that every process has: the publisher and the background tasks.
    /// Neither the database nor the broker has to answer yet, unless they are embedded.
    ///
    /// # Errors
    /// When an option makes no sense, or another process has the data directory.
    #[boxed]
    pub async fn start(options: Options) -> Result<Self, Error> {
        let registry = registry(&options)?;
        let tokens = options.tokens.map(Tokens::new).transpose()?;
        let api = gristmill_api::Options {
            tokens,
            ..options.api
        };
        let own = options.database.own;
        let store = open_store(options.database)?;
        if own {
            migrate(&store).await?;
            recover(&store).await?;
        }
        let broker = broker(options.broker).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let protocol = store.protocol();
        let publisher = Publisher::start(broker.clone(), protocol.clone(), stop.clone());
        let wakeups = Wakeups::default();
        let publish_within = options.relay.publish_within;
        let upkeep = Upkeep {
            store: store.clone(),
            broker: broker.clone(),
            publisher: publisher.clone(),
            wakeups: wakeups.clone(),
            relay: options.relay,
            retention: options.retention,
        };
        for task in gristmill_dispatch::tasks(upkeep) {
            tasks.spawn(drive(task, stop.clone()));
        }
        tasks.close();
        let submitter = Submitter::new(protocol.clone(), publisher, publish_within);
        let plans = Arc::new(Plans::new(store.clone(), registry.clone()));
        let admission = Admission::new(submitter, store.clone(), plans.clone(), wakeups.relay.clone());
        let end_watch = EndWatch::new(protocol);
        Ok(Self {
            store,
            admission,
            end_watch,
            registry,
            plans,
            wakeups,
            broker,
            api,
            worker: options.worker,
            stop,
            tasks,
        })
    }

    /// Waits for the database and makes sure that its schema is this version's.
    ///
    /// # Errors
    /// When it is another version's: waiting would not help.
    #[boxed]
    pub async fn check_schema(&self) -> Result<(), Error> {
        loop {
            match self.store.check_schema().await {
                Err(error) if error.is_transient() => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "waiting for the database"
                    );
                    tokio::time::sleep(SCHEMA_RETRY).await;
                }
                result => {
                    return result.map_err(|source| Error::Store {
                        doing: "checking the database's schema",
                        source,
                    });
                }
            }
        }
    }

    /// The lanes that a workflow may name.
    pub fn lanes(&self) -> &[String] {
        &self.api.lanes
    }

    /// Serves the API on `listener` until `shutdown`.
    pub fn serve(
        &self,
        listener: TcpListener,
        metrics: PrometheusHandle,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let services = Services {
            store: self.store.clone(),
            admission: self.admission.clone(),
            end_watch: self.end_watch.clone(),
            wakeups: self.wakeups.clone(),
            registry: self.registry.clone(),
            broker: self.broker.clone(),
            metrics,
        };
        Api::build(services, self.api.clone()).run(listener, shutdown)
    }

    /// Works until `shutdown`, then drains.
    pub fn work(
        &self,
        shutdown: CancellationToken,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let dependencies = Dependencies {
            protocol: self.store.protocol(),
            renewals: self.store.renewals(),
            broker: self.broker.clone(),
            plans: self.plans.clone(),
            relay: self.wakeups.relay.clone(),
        };
        let worker = Worker::new(self.worker.clone(), dependencies);
        async move { worker.run(shutdown).await.map_err(Error::Worker) }
    }

    /// Stops what is left, once the API and the worker have stopped.
    #[boxed]
    pub async fn close(self) {
        self.stop.cancel();
        if tokio::time::timeout(CLOSE_WITHIN, self.tasks.wait())
            .await
            .is_err()
        {
            warn!("the background tasks did not stop in time");
        }
        self.broker.close().await;
        info!("stopped");
    }
}

/// Opens a database.
///
/// # Errors
/// When the URL makes no sense, or another process has the data directory.
pub fn open_store(options: DatabaseOptions) -> Result<Store, Error> {
    let DatabaseOptions { store, own } = options;
    Store::open(store).map_err(|source| match source {
        gristmill_store::Error::Options(_) if own => Error::DataDir(source),
        source => Error::Store {
            doing: "opening the database",
            source,
        },
    })
}

/// Binds the address that the API listens on.
///
/// # Errors
/// When it is taken, or not this machine's; then `advice` says how to choose another.
#[boxed]
pub async fn listen(address: SocketAddr, advice: &'static str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen {
        address,
        advice,
        source,
    })
}

fn registry(options: &Options) -> Result<Arc<Registry>, Error> {
    let mut kinds = gristmill_engine::builtin();
    kinds.extend(gristmill_effects::kinds(options.effects.clone()).map_err(Error::Kinds)?);
    Ok(Arc::new(Registry::new(kinds)?.with_limits(options.limits)))
}

async fn broker(options: BrokerOptions) -> Result<Arc<dyn Broker>, Error> {
    Ok(match options {
        BrokerOptions::InProcess(options) => Arc::new(InProcess::new(options)),
        BrokerOptions::RabbitMq(options) => Arc::new(RabbitMq::start(options).await.map_err(Error::Broker)?),
    })
}

/// Brings the database's schema up to date.
///
/// # Errors
/// When a migration fails.
#[boxed]
pub async fn migrate(store: &Store) -> Result<(), Error> {
    store.migrate().await.map_err(|source| Error::Store {
        doing: "migrating the database",
        source,
    })
}

/// The database is this process's own: whatever was under way when the last process ended has no worker any more.
async fn recover(store: &Store) -> Result<(), Error> {
    let recovered = gristmill_dispatch::recover(&*store.protocol())
        .await
        .map_err(Error::Recover)?;
    if recovered > 0 {
        info!(executions = recovered, "going on with what was unfinished");
    }
    Ok(())
}
