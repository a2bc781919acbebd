//! An API process together with somebody who calls it.

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
    pub(crate) async fn ready(mut process: Process, key: &str) -> Self {
        let listening = process.logged("listening").await;
        let address = listening["address"].as_str().expect("no address in the log");
        let client = Client::new(address, key);
        eventually("the API is ready", async || client.is_ready().await.then_some(())).await;
        Self { process, client }
    }
}

impl Deref for Api {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
