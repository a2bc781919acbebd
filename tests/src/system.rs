//! System: Gristmill's processes, with a database and a broker prefix of the test's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use gristmill_core::{OrganizationId, failpoint};
use gristmill_queue::{Broker, RabbitMq};
use gristmill_testkit::{TestBroker, TestDatabase};
use serde_json::Value;

use crate::api::Api;
use crate::binary::target_directory;
use crate::database::Database;
use crate::process::Process;
use crate::queues::Queues;
use crate::services::{PostgreSql, RabbitMqServer};
use crate::settings::{LANES, Settings};
use crate::wait::eventually;

/// Everything that a test's processes share. Processes are declared after it, so that they are gone before it is.
pub struct System {
    /// The test's own look into the database.
    pub database: Database,
    /// The test's own look at the broker's queues.
    pub queues: Queues,
    organization: OrganizationId,
    key: String,
    settings: Settings,
    directory: PathBuf,
    started: AtomicUsize,
    // Deletes the queues, and then the database or the server.
    declared: TestBroker,
    _database: Option<TestDatabase>,
    /// The server that the test may freeze and restart, if it asked for one.
    postgres: Option<PostgreSql>,
    /// The server that the test may kill and wipe, if it asked for one.
    rabbitmq: Option<RabbitMqServer>,
}

/// Which servers are the test's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Nothing,
    PostgreSql,
    RabbitMq,
}

impl System {
    /// On the servers of `DATABASE_URL` and `AMQP_URL`.
    pub async fn start() -> Self {
        Self::build(Own::Nothing).await
    }

    /// With a PostgreSQL server of its own.
    pub async fn with_own_postgres() -> Self {
        Self::build(Own::PostgreSql).await
    }

    /// With a RabbitMQ server of its own.
    pub async fn with_own_rabbitmq() -> Self {
        Self::build(Own::RabbitMq).await
    }

    async fn build(own: Own) -> Self {
        let directory = make_directory();
        let postgres = (own == Own::PostgreSql).then(|| PostgreSql::start(&directory));
        let rabbitmq = (own == Own::RabbitMq).then(|| RabbitMqServer::start(&directory));
        let database = if own == Own::PostgreSql {
            None
        } else {
            Some(TestDatabase::postgres().await)
        };
        let database_url = match (&postgres, &database) {
            (Some(server), _) => server.url(),
            (None, Some(database)) => database.url().to_owned(),
            (None, None) => unreachable!("there is one or the other"),
        };
        let queues = match &rabbitmq {
            Some(server) => TestBroker::on(&server.url(), &LANES),
            None => TestBroker::new(&LANES),
        };
        let settings = Settings::new(&database_url, queues.options());
        let started = AtomicUsize::new(0);
        run(&directory, &["migrate"], &settings).await;
        let account = bootstrap(&directory, &settings, "Mill", &[]).await;
        // The queues are there before the first process is, which would take them for lost.
        queues.start().await.close().await;
        Self {
            database: Database::new(&database_url),
            queues: Queues::new(queues.options()),
            organization: account.organization,
            key: account.key,
            settings,
            directory,
            started,
            declared: queues,
            _database: database,
            postgres,
            rabbitmq,
        }
    }

    /// Sets a key of the configuration for all processes that are started from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.set_all(&[(key, value)]);
    }

    /// Sets several.
    pub fn set_all(&mut self, settings: &[(&str, &str)]) {
        self.settings.set_all(settings);
    }

    /// Where the processes find the database.
    pub fn database_url(&self) -> String {
        self.settings.get("database.url").to_owned()
    }

    /// Where the processes find the broker.
    pub fn broker_url(&self) -> String {
        self.settings.get("broker.url").to_owned()
    }

    /// Where the test's files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whose API key the clients use.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// The PostgreSQL server of the test's own.
    ///
    /// # Panics
    /// When it did not ask for one.
    pub fn postgres(&self) -> &PostgreSql {
        self.postgres
            .as_ref()
            .expect("not a PostgreSQL server of its own")
    }

    /// The RabbitMQ server of the test's own.
    ///
    /// # Panics
    /// When it did not ask for one.
    pub fn rabbitmq(&self) -> &RabbitMqServer {
        self.rabbitmq.as_ref().expect("not a RabbitMQ server of its own")
    }

    /// Makes one more organization. Answers with its id and an API key of it.
    pub async fn another_organization(&self, name: &str) -> (OrganizationId, String) {
        let email = format!("{name}@localhost");
        let more = ["--force", "--email", &email];
        let account = bootstrap(&self.directory, &self.settings, name, &more).await;
        (account.organization, account.key)
    }

    /// Starts an API and waits until it is ready.
    pub async fn api(&self) -> Api {
        self.api_with(&[]).await
    }

    /// The same, with these keys set for it alone.
    pub async fn api_with(&self, settings: &[(&str, &str)]) -> Api {
        let api = Api::ready(self.starting_api(settings), &self.key).await;
        check_failpoints(&api.process, settings);
        api
    }

    /// Starts an API and waits until it listens: what it needs may be away.
    pub async fn listening_api(&self, settings: &[(&str, &str)]) -> Api {
        Api::listening(self.starting_api(settings), &self.key).await
    }

    /// Starts an API and waits for nothing.
    pub fn starting_api(&self, settings: &[(&str, &str)]) -> Process {
        self.process("api", &["api", "--listen", "127.0.0.1:0"], settings)
    }

    /// Starts a worker and waits until it takes jobs.
    pub async fn worker(&self) -> Process {
        self.worker_with(&[]).await
    }

    /// The same, with these keys set for it alone.
    pub async fn worker_with(&self, settings: &[(&str, &str)]) -> Process {
        let mut process = self.starting_worker(settings);
        process.logged("working").await;
        check_failpoints(&process, settings);
        process
    }

    /// Starts a worker and waits for nothing.
    pub fn starting_worker(&self, settings: &[(&str, &str)]) -> Process {
        self.process("worker", &["worker"], settings)
    }

    /// Starts a worker whose log is on a disk that is full.
    pub fn unheard_worker(&self) -> Process {
        let full = PathBuf::from("/dev/full");
        Process::start_logging_to(
            full,
            "unheard-worker",
            &self.directory,
            &["worker"],
            &self.settings,
        )
    }

    /// Brings the database's schema up to date, as an operator does before a new version is started.
    pub async fn migrate(&self) {
        run(&self.directory, &["migrate"], &self.settings).await;
    }

    /// The broker as the processes have it. A test that loses queues must have none: it would declare them again, and
    /// whatever was in them is published again only by a process that found them missing.
    pub async fn connected_broker(&self) -> RabbitMq {
        let broker = self.declared.start().await;
        let mut state = broker.publisher_state();
        let connected = state.wait_for(|state| state.is_connected()).await;
        drop(connected.expect("the broker was dropped"));
        broker
    }

    /// How many jobs wait in the default lane; `None` when the broker does not answer.
    pub async fn depth(&self) -> Option<u32> {
        self.queues.depth(&self.queues.lane(LANES[0])).await
    }

    /// Waits until no lane holds a job, and nothing is dead or parked.
    pub async fn queues_are_empty(&self) {
        let lanes = LANES.map(|lane| self.queues.lane(lane));
        for queue in lanes
            .into_iter()
            .chain([self.queues.dead(), self.queues.parked()])
        {
            let what = format!("the queue {queue} is empty");
            eventually(&what, async || {
                self.queues.depth(&queue).await.filter(|depth| *depth == 0)
            })
            .await;
        }
    }

    fn process(&self, role: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Process {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let mut all = self.settings.clone();
        all.set_all(settings);
        Process::start(&format!("{number}-{role}"), &self.directory, arguments, &all)
    }
}

struct Account {
    organization: OrganizationId,
    key: String,
}

async fn bootstrap(directory: &Path, settings: &Settings, name: &str, more: &[&str]) -> Account {
    let mut arguments = vec!["admin", "bootstrap", "--organization", name, "--json"];
    arguments.extend(more);
    let account = run(directory, &arguments, settings).await;
    let account: Value = serde_json::from_str(&account).expect("bootstrap printed no JSON");
    let text = |name: &str| {
        account[name]
            .as_str()
            .expect("bootstrap left something out")
            .to_owned()
    };
    Account {
        organization: text("organizationId")
            .parse()
            .expect("bootstrap printed no organization's id"),
        key: text("apiKey"),
    }
}

/// A binary without failpoints would let the test wait in vain.
fn check_failpoints(process: &Process, settings: &[(&str, &str)]) {
    if settings.iter().any(|(key, _)| *key == failpoint::VARIABLE) {
        assert!(
            process.has_logged("failpoints are armed"),
            "the binary has no failpoints: run ./scripts/test, or `cargo build -p gristmill-cli --features failpoints`"
        );
    }
}

/// Runs a command to its end and answers with what it printed.
pub(crate) async fn run(directory: &Path, arguments: &[&str], settings: &Settings) -> String {
    let name = arguments
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .copied()
        .collect::<Vec<_>>()
        .join("-");
    let mut process = Process::start(&name, directory, arguments, settings);
    let status = process.ended().await;
    assert!(status.success(), "gristmill {}: {status}", arguments.join(" "));
    process.output()
}

/// An empty directory named after the test, which the test's thread is named after.
fn make_directory() -> PathBuf {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("unnamed").replace("::", "-");
    let directory = target_directory().join("e2e").join(test);
    // What the last run of this test has left, if there was one.
    std::fs::remove_dir_all(&directory).ok();
    std::fs::create_dir_all(&directory).expect("no directory for the test's files");
    directory.canonicalize().expect("a directory that was just made")
}
