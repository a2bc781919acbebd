//! A whole system of the benchmark's own: a new database on the server, a broker prefix that nobody else has, one API and
//! one worker. What others left in the database or the queues cannot disturb it, and nothing of it stays behind.

mod child;

use std::path::PathBuf;

use gristmill_queue::{Lane, RabbitMq, RabbitMqOptions};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::http::Target;
use crate::{Error, database};
use child::Child;

/// What a system is started from.
#[derive(Clone)]
pub struct SpawnOptions {
    /// The program `gristmill`.
    pub binary: PathBuf,
    /// A PostgreSQL server; its role may create databases.
    pub database_url: String,
    /// A RabbitMQ server.
    pub broker_url: String,
}

/// A system that was started, or is about to be. [`Site::close`] takes away whatever there is of it.
pub struct Site {
    options: SpawnOptions,
    /// The name of the database, and the broker's prefix.
    name: String,
    database_url: String,
    logs: TempDir,
    running: Option<Running>,
}

struct Running {
    api: Child,
    worker: Child,
}

/// The one lane.
const LANE: &str = "default";

impl Site {
    /// Makes its database, and starts nothing yet.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub async fn create(options: SpawnOptions) -> Result<Self, Error> {
        // Whose it is can be seen, should it ever stay behind.
        let name = format!(
            "gristmill_bench_{}_{}",
            std::process::id(),
            Uuid::new_v4().simple()
        );
        let logs = tempfile::tempdir().map_err(Error::Directory)?;
        let database_url = database::create(&options.database_url, &name).await?;
        Ok(Self {
            options,
            name,
            database_url,
            logs,
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
        &self.database_url
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
            ("DATABASE_URL", self.database_url.as_str()),
            ("AMQP_URL", &self.options.broker_url),
            ("GRISTMILL__BROKER__PREFIX", &self.name),
            ("GRISTMILL__LANES", LANE),
            ("GRISTMILL__LOG__FORMAT", "json"),
        ];
        Child::start(&self.options.binary, self.logs.path(), arguments, &settings)
    }

    /// Ends the processes and deletes queues and database.
    ///
    /// # Errors
    /// When queues or database cannot be deleted.
    pub async fn close(mut self) -> Result<(), Error> {
        if let Some(running) = self.running.take() {
            // Nothing that they hold outlives this, so there is nothing to drain.
            running.api.kill().await;
            running.worker.kill().await;
        }
        let broker = RabbitMqOptions {
            prefix: self.name.clone(),
            ..RabbitMqOptions::new(&self.options.broker_url, vec![Lane::from(LANE)])
        };
        let queues = RabbitMq::delete(&broker).await.map_err(Error::Broker);
        // The other one is worth a try even so.
        let database = database::drop_database(&self.options.database_url, &self.name).await;
        queues.and(database)
    }
}
