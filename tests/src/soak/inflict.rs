//! Inflict: faults, done and undone.

mod database;
mod link;
mod messages;
mod process;
mod rabbitmq;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::Mutex;

use super::fault::{DatabaseFault, Fault};
use super::fleet::Fleet;
use super::plan::Step;
use super::report::Report;
use super::world::World;

/// Does to the system what a plan says.
pub(super) struct Tormentor {
    pub(super) world: Arc<World>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) report: Arc<Report>,
    /// One fault of a server at a time.
    pub(super) postgres: Mutex<()>,
    pub(super) rabbitmq: Mutex<()>,
    /// Every message that was put into a queue and is no job.
    pub(super) poison: std::sync::Mutex<Vec<Vec<u8>>>,
}

/// Why a fault could not be inflicted: what it needs is down already, by another fault.
pub(super) struct Missed;

impl Tormentor {
    pub(super) fn new(world: Arc<World>, fleet: Arc<Fleet>, report: Arc<Report>) -> Arc<Self> {
        Arc::new(Self {
            world,
            fleet,
            report,
            postgres: Mutex::new(()),
            rabbitmq: Mutex::new(()),
            poison: std::sync::Mutex::default(),
        })
    }

    /// Inflicts a fault for as long as it lasts, and undoes it.
    pub(super) async fn inflict(self: Arc<Self>, step: Step) {
        let Step {
            fault, lasts, seed, ..
        } = step;
        self.report
            .say(&format!("+ {fault} ({:.1} s)", lasts.as_secs_f64()));
        let mut rng = Rng::with_seed(seed);
        let done = match fault {
            Fault::Process(member, how) => self.torment_process(member, how, lasts).await,
            Fault::Link(member, server, how) => {
                link::torment(self.fleet.link(member, server), how, lasts, &mut rng).await;
                Ok(())
            }
            Fault::Broker(how) => self.torment_rabbitmq(how, lasts, &mut rng).await,
            Fault::Database(DatabaseFault::LockRows) => database::lock_rows(&self.world, lasts).await,
            Fault::Database(DatabaseFault::TerminateSessions) => {
                database::terminate_sessions(&self.world, lasts).await
            }
            Fault::Database(how) => self.torment_postgres(how, lasts).await,
            Fault::Messages(how) => self.put_messages(how, &mut rng).await,
        };
        match done {
            Ok(()) => {
                self.report.inflicted(fault.kind());
                self.report.say(&format!("- {fault}"));
            }
            Err(Missed) => {
                self.report.missed();
                self.report.say(&format!("- {fault}: could not be inflicted"));
            }
        }
    }

    /// Ends every connection, those that lost something included: from here the network is as good as new.
    pub(super) fn heal_links(&self) {
        for member in 0..super::fault::MEMBERS.len() {
            for server in [super::fault::Server::Database, super::fault::Server::Broker] {
                self.fleet.link(member, server).heal();
                self.fleet.link(member, server).reset();
            }
        }
    }
}

/// Does what takes its time and no await, such as waiting for a server's end.
async fn blocking(world: &Arc<World>, work: impl FnOnce(&World) + Send + 'static) {
    let world = world.clone();
    let done = tokio::task::spawn_blocking(move || work(&world)).await;
    done.expect("a server cannot be handled");
}

async fn pause(lasts: Duration) {
    tokio::time::sleep(lasts).await;
}
