//! The sandbox of a spawned system: a new database on the server, and a broker prefix that nobody else has. What others
//! left in database or queues cannot disturb it, and nothing of it stays behind.

use gristmill_bench::{LANE, SpawnOptions};
use gristmill_queue::{RabbitMq, RabbitMqOptions};
use gristmill_store::connect_postgres;
use secrecy::ExposeSecret;
use url::Url;
use uuid::Uuid;

use crate::config::Config;
use crate::error::Error;

/// [`Sandbox::delete`] takes it away.
pub(super) struct Sandbox {
    /// The name of the database, and the broker's prefix.
    name: String,
    /// Where the database was made.
    server: String,
    database_url: String,
    broker: RabbitMqOptions,
}

impl Sandbox {
    /// Makes the database.
    pub(super) async fn create(config: &Config) -> Result<Self, Error> {
        // Whose it is can be seen, should it ever stay behind.
        let name = format!(
            "gristmill_bench_{}_{}",
            std::process::id(),
            Uuid::new_v4().simple()
        );
        let server = config.database.url.expose_secret().to_owned();
        let mut own = Url::parse(&server)
            .map_err(|error| Error::Usage(format!("DATABASE_URL cannot be used here: {error}")))?;
        own.set_path(&name);
        let sql = format!("CREATE DATABASE {name}");
        execute(&server, "making a database (the role needs CREATEDB)", &sql).await?;
        Ok(Self {
            broker: RabbitMqOptions {
                prefix: name.clone(),
                ..RabbitMqOptions::new(config.broker.url.expose_secret(), vec![LANE.into()])
            },
            name,
            server,
            database_url: own.into(),
        })
    }

    /// A system in it: processes of this very program.
    pub(super) fn system(&self) -> Result<SpawnOptions, Error> {
        Ok(SpawnOptions {
            binary: std::env::current_exe().map_err(Error::Runtime)?,
            database_url: self.database_url.clone(),
            broker_url: self.broker.url.clone(),
            prefix: self.broker.prefix.clone(),
        })
    }

    /// Deletes queues and database.
    pub(super) async fn delete(self) -> Result<(), Error> {
        let queues = RabbitMq::delete(&self.broker).await.map_err(Error::Broker);
        // The other one is worth a try even so.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let database = execute(&self.server, "dropping the database", &sql).await;
        queues.and(database)
    }
}

async fn execute(url: &str, doing: &'static str, sql: &str) -> Result<(), Error> {
    let options = gristmill_store::Options {
        application_name: "gristmill-bench".to_owned(),
        ..gristmill_store::Options::new(url)
    };
    let client = connect_postgres(&options)
        .await
        .map_err(|source| Error::Store { doing, source })?;
    client
        .batch_execute(sql)
        .await
        .map_err(|source| Error::Statement {
            doing,
            source: Box::new(source),
        })
}
