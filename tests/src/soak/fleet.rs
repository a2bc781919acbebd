//! Fleet: Gristmill's processes, each behind two proxies of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill_testkit::Proxy;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use super::fault::{APIS, MEMBERS, Server};
use super::report::Report;
use super::world::World;
use crate::client::Client;
use crate::invariants::{Invariant, Violation};
use crate::process::{Log, Process};

/// How often processes are looked after.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long an API may take to say where it listens. It does so before it looks for the servers.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// All processes.
pub(super) struct Fleet {
    world: Arc<World>,
    report: Arc<Report>,
    members: Vec<Member>,
    started: AtomicUsize,
}

struct Member {
    /// Held for as long as a fault of this process lasts.
    process: AsyncMutex<Option<Process>>,
    /// For an API that listens: a client for each organization.
    clients: Mutex<Option<[Client; 2]>>,
    database: Proxy,
    broker: Proxy,
}

impl Fleet {
    /// Starts all.
    pub(super) async fn start(world: Arc<World>, report: Arc<Report>) -> Arc<Self> {
        let mut members = Vec::new();
        for _ in MEMBERS {
            members.push(Member {
                process: AsyncMutex::new(None),
                clients: Mutex::new(None),
                database: Proxy::to(world.settings.get("database.url")).await,
                broker: Proxy::to(world.settings.get("broker.url")).await,
            });
        }
        let fleet = Arc::new(Self {
            world,
            report,
            members,
            started: AtomicUsize::new(0),
        });
        for member in 0..MEMBERS.len() {
            let mut process = fleet.process(member).await;
            fleet.launch(member, &mut process);
        }
        fleet
    }

    /// A process, once no other fault has it.
    pub(super) async fn process(&self, member: usize) -> MutexGuard<'_, Option<Process>> {
        self.members[member].process.lock().await
    }

    /// The network between a process and a server.
    pub(super) fn link(&self, member: usize, server: Server) -> &Proxy {
        let member = &self.members[member];
        match server {
            Server::Database => &member.database,
            Server::Broker => &member.broker,
        }
    }

    /// A client of this API for this organization, if it listens.
    pub(super) fn client(&self, api: usize, tenant: usize) -> Option<Client> {
        let clients = self.members[api]
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        clients.as_ref().map(|clients| clients[tenant].clone())
    }

    /// Starts a process in the place of one that has ended.
    pub(super) fn launch(self: &Arc<Self>, member: usize, process: &mut Option<Process>) {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let mut settings = self.world.settings.clone();
        for (key, server) in [("database.url", Server::Database), ("broker.url", Server::Broker)] {
            let url = self.link(member, server).url(settings.get(key));
            settings.set_all(&[(key, &*url)]);
        }
        let arguments: &[&str] = match MEMBERS[member] {
            "worker-3" => &["worker", "--lanes", "bulk"],
            _ if member < APIS => &["api", "--listen", "127.0.0.1:0"],
            _ => &["worker"],
        };
        let name = format!("{number:04}-{}", MEMBERS[member]);
        let started = Process::start(&name, &self.world.directory, arguments, &settings);
        if member < APIS {
            tokio::spawn(self.clone().listens(member, started.log()));
        }
        *process = Some(started);
    }

    /// Makes clients as soon as the API says where it listens.
    async fn listens(self: Arc<Self>, api: usize, log: Log) {
        let found = tokio::time::timeout(LISTENS_WITHIN, async {
            loop {
                if let Some(line) = log.find("listening") {
                    return line;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        // It may be killed before it does.
        let Ok(line) = found.await else { return };
        let Some(address) = line["address"].as_str() else {
            return;
        };
        let clients = self
            .world
            .tenants
            .each_ref()
            .map(|tenant| Client::new(address, &tenant.key));
        *self.members[api]
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(clients);
    }

    /// Looks after all processes for ever: nobody but a fault may end one.
    pub(super) async fn guard(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            for (member, name) in MEMBERS.iter().enumerate() {
                let Ok(mut process) = self.members[member].process.try_lock() else {
                    continue;
                };
                let Some(ended) = process.as_mut().and_then(Process::has_ended) else {
                    continue;
                };
                let what = format!("{name} ended by itself: {ended}");
                self.report.violation(Violation::new(Invariant::Recovers, what));
                self.launch(member, &mut process);
            }
        }
    }
}
