//! API: an API process together with somebody who calls it.

use std::ops::Deref;

use crate::client::Client;
use crate::process::Process;
use crate::wait::eventually;

/// A `gristmill api` that is ready, and a producer that calls it.
pub struct Api {
    /// The process.
    pub process: Process,
    /// The producer.
    pub client: Client,
}

impl Api {
    /// Waits until the process that was just started is ready.
    pub(crate) async fn ready(process: Process, key: &str) -> Self {
        let api = Self::listening(process, key).await;
        api.becomes_ready().await;
        api
    }

    /// Waits until the process that was just started listens.
    pub(crate) async fn listening(mut process: Process, key: &str) -> Self {
        let listening = process.logged("listening").await;
        let address = listening["address"].as_str().expect("no address in the log");
        let client = Client::new(address, key);
        Self { process, client }
    }

    /// Waits until `/readyz` says so.
    pub async fn becomes_ready(&self) {
        eventually("the API is ready", async || {
            self.client.is_ready().await.then_some(())
        })
        .await;
    }
}

impl Deref for Api {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
