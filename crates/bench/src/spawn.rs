//! A site: one API and one worker of the benchmark's own, on a database and a broker prefix that its caller has made for
//! it.

mod child;

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::Error;
use crate::http::Target;
use child::Child;

/// What a system is started from.
#[derive(Clone)]
pub struct SpawnOptions {
    /// The program `gristmill`.
    pub binary: PathBuf,
    /// A PostgreSQL database that nothing else uses.
    pub database_url: String,
    /// A RabbitMQ server.
    pub broker_url: String,
    /// What the names of exchanges and queues begin with, and nobody else's do.
    pub prefix: String,
}

/// A system that was started, or is about to be. [`Site::close`] ends whatever there is of it.
pub struct Site {
    options: SpawnOptions,
    logs: TempDir,
    running: Option<Running>,
}

struct Running {
    api: Child,
    worker: Child,
}

/// The one lane of a site.
pub const LANE: &str = "default";

impl Site {
    /// Starts nothing yet.
    ///
    /// # Errors
    /// When there is no place for the logs.
    pub fn new(options: SpawnOptions) -> Result<Self, Error> {
        Ok(Self {
            options,
            logs: tempfile::tempdir().map_err(Error::Directory)?,
            running: None,
        })
    }

    /// Migrates, makes an organization, and starts API and worker; answers when both are ready.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub async fn start(&mut self) -> Result<Target, Error> {
        self.run(&["migrate"]).await?;
        let account = self
            .run(&["admin", "bootstrap", "--organization", "Benchmark", "--json"])
            .await?;
        let account: Value = serde_json::from_str(&account).map_err(Error::Answer)?;
        let api = self.child(&["api", "--listen", "127.0.0.1:0"])?;
        let worker = self.child(&["worker"])?;
        let running = self.running.insert(Running { api, worker });
        let listening = running.api.logged("listening").await?;
        running.worker.logged("working").await?;
        let url = format!("http://{}", listening["address"].as_str().unwrap_or_default());
        Target::new(&url, account["apiKey"].as_str().unwrap_or_default())
    }

    /// The processes by name.
    pub fn processes(&self) -> Vec<(&'static str, u32)> {
        let running = self.running.iter();
        running
            .flat_map(|running| [("api", &running.api), ("worker", &running.worker)])
            .filter_map(|(name, child)| Some((name, child.pid()?)))
            .collect()
    }

    /// The URL of the system's own database.
    pub fn database_url(&self) -> &str {
        &self.options.database_url
    }

    /// The servers that the system stands on.
    pub fn servers(&self) -> [(&'static str, &str); 2] {
        [
            ("postgresql", &self.options.database_url),
            ("rabbitmq", &self.options.broker_url),
        ]
    }

    /// Runs a command to its end and answers with what it printed.
    async fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        self.child(arguments)?.output().await
    }

    /// Starts a command. It reads the environment as always, except for where its services are.
    fn child(&self, arguments: &[&str]) -> Result<Child, Error> {
        let settings = [
            ("DATABASE_URL", self.options.database_url.as_str()),
            ("AMQP_URL", &self.options.broker_url),
            ("GRISTMILL__BROKER__PREFIX", &self.options.prefix),
            ("GRISTMILL__LANES", LANE),
            ("GRISTMILL__LOG__FORMAT", "json"),
        ];
        Child::start(&self.options.binary, self.logs.path(), arguments, &settings)
    }

    /// Ends the processes.
    pub async fn close(mut self) {
        if let Some(running) = self.running.take() {
            // Nothing that they hold outlives this, so there is nothing to drain.
            running.api.kill().await;
            running.worker.kill().await;
        }
    }
}
