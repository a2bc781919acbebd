//! Everything in one process: API, worker, relay and publisher, with an organization and an API key ready to use.

use gristmill_core::boxed;
use std::net::SocketAddr;
use std::path::Path;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::account::ready_account;
use crate::system::{System, migrate};
use crate::{Error, Options};

/// A running system.
pub struct Embedded {
    /// How to call it.
    pub access: Access,
    system: System,
    stop: CancellationToken,
    parts: JoinSet<Result<(), Error>>,
}

/// How to call the API.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where it listens.
    pub address: SocketAddr,
    /// An API key of the organization.
    pub key: String,
}

impl Embedded {
    /// Starts the system, with the API on `listener` and its key kept in `data_dir`. `shutdown` stops it.
    ///
    /// # Errors
    /// When the data directory cannot be used, for one.
    #[boxed]
    pub async fn start(
        options: Options,
        data_dir: &Path,
        listener: TcpListener,
        metrics: PrometheusHandle,
        shutdown: &CancellationToken,
    ) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(Error::Runtime)?;
        let shared = !options.database.own;
        let system = System::start(options).await?;
        if shared {
            // Embedded, the database is brought up to date by its owner, which is this process.
            migrate(&system.store).await?;
        }
        let account = ready_account(&system.store, data_dir, shared).await?;
        let stop = shutdown.child_token();
        let mut parts = JoinSet::new();
        let serving = system.serve(listener, metrics, stop.clone());
        parts.spawn(async {
            serving.await;
            Ok(())
        });
        parts.spawn(system.work(stop.clone()));
        Ok(Self {
            access: Access {
                address,
                key: account.key,
            },
            system,
            stop,
            parts,
        })
    }

    /// Stops the system and waits until it has.
    ///
    /// # Errors
    /// When a part had ended with an error.
    #[boxed]
    pub async fn stop(self) -> Result<(), Error> {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits until the system has stopped. A part that ends early takes the others with it.
    ///
    /// # Errors
    /// The first part's error.
    #[boxed]
    pub async fn ended(mut self) -> Result<(), Error> {
        let mut result = Ok(());
        while let Some(part) = self.parts.join_next().await {
            self.stop.cancel();
            result = result.and(part.map_err(Error::Part).and_then(|part| part));
        }
        self.system.close().await;
        result
    }
}
