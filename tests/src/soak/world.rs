//! World: the servers of a soak, and what is in them.

use std::path::{Path, PathBuf};

use gristmill_queue::RabbitMqOptions;
use serde_json::Value;

use crate::database::Database;
use crate::queues::Queues;
use crate::services::{PostgreSql, RabbitMqServer};
use crate::settings::{LANES, Settings};
use crate::system::run;

/// How long a worker's right to an execution lasts. Shorter than the default, so that more of them run out.
pub const LEASE_SECONDS: u64 = 8;

/// What differs from the configuration's defaults, and from what all tests set.
const SETTINGS: [(&str, &str); 8] = [
    ("worker.lease", "8s"),
    ("worker.renew", "2s"),
    ("worker.concurrency", "16"),
    ("worker.drain_grace", "3s"),
    ("api.drain_grace", "3s"),
    ("api.max_wait", "5s"),
    ("broker.heartbeat", "5s"),
    ("log.filter", "info,lapin=off"),
];

/// Servers, database and organizations. Nothing of it is shared with anybody else on the machine.
pub struct World {
    pub(super) directory: PathBuf,
    pub(super) settings: Settings,
    pub(super) tenants: [Tenant; 2],
    pub(super) database: Database,
    pub(super) queues: Queues,
    pub(super) postgres: PostgreSql,
    pub(super) rabbitmq: RabbitMqServer,
}

/// An organization and its API key.
pub(super) struct Tenant {
    pub(super) organization: String,
    pub(super) key: String,
}

impl World {
    /// Starts the servers under this directory.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn start(directory: &Path) -> Self {
        let postgres = PostgreSql::start(directory);
        let rabbitmq = RabbitMqServer::start(directory);
        let database_url = postgres.url();
        let broker = RabbitMqOptions::new(rabbitmq.url(), LANES.iter().copied().map(Into::into).collect());
        let mut settings = Settings::new(&database_url, &broker);
        settings.set_all(&SETTINGS);
        run(directory, &["migrate"], &settings).await;
        let tenants = [
            tenant(directory, &settings, "Mill").await,
            tenant(directory, &settings, "Bakery").await,
        ];
        Self {
            directory: directory.to_owned(),
            database: Database::new(&database_url),
            queues: Queues::new(&broker),
            settings,
            tenants,
            postgres,
            rabbitmq,
        }
    }
}

async fn tenant(directory: &Path, settings: &Settings, name: &str) -> Tenant {
    let email = format!("{name}@example.org");
    let arguments = [
        "admin",
        "bootstrap",
        "--organization",
        name,
        "--email",
        &email,
        "--force",
        "--json",
    ];
    let account: Value =
        serde_json::from_str(&run(directory, &arguments, settings).await).expect("bootstrap printed no JSON");
    let text = |key: &str| {
        account[key]
            .as_str()
            .expect("bootstrap left something out")
            .to_owned()
    };
    Tenant {
        organization: text("organizationId"),
        key: text("apiKey"),
    }
}
