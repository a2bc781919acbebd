//! The soak: a whole system under load, every fault of the catalogue at random, and the invariants at the end.
//!
//! What happens when follows from the seed; how far the system has got by then does not. Storms of faults that overlap
//! alternate with quiet moments, in which executions have to be accepted and to end again: without these nothing could be
//! told from a system that is stuck.

mod fault;
mod fleet;
mod inflict;
mod plan;
mod producers;
mod report;
mod rest;
mod scenery;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gristmill_testkit::RecordingEndpoint;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::binary::target_directory;
use crate::invariants::{Accepted, Calls, Evidence, History, Invariant, Sample, Violation};
use crate::wait::eventually;
use fleet::Fleet;
use inflict::Tormentor;
use plan::{QUIET, Step, plan};
use producers::{Offer, Producers};
use report::Report;
pub use report::Summary;
use world::{LEASE_SECONDS, World};

/// How to soak.
#[derive(Debug, Clone)]
pub struct SoakOptions {
    /// What follows from it: every fault, its time and its length.
    pub seed: u64,
    /// How long faults are inflicted, about: what they take to be undone comes on top.
    pub length: Duration,
    /// How many, on average.
    pub faults_per_minute: u32,
    /// Leave the servers running, for a look at what is in them.
    pub keep: bool,
}

/// The bar: a lease, the relay's interval, and three seconds.
const RECOVERS_WITHIN: Duration = Duration::from_secs(LEASE_SECONDS + 1 + 3);

/// How often every execution's status is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Soaks, and answers with what was found.
///
/// # Panics
/// When the surroundings are broken: a server cannot be started, or not be restarted.
pub async fn soak(options: &SoakOptions) -> Summary {
    let report = Arc::new(Report::new());
    let directory = make_directory(options.seed);
    report.say(&format!(
        "seed {}; logs and data are in {}",
        options.seed,
        directory.display()
    ));
    let endpoint = scenery::endpoint().await;
    let world = Arc::new(World::start(&directory).await);
    let fleet = Fleet::start(world.clone(), report.clone()).await;
    let soak = Soak {
        tormentor: Tormentor::new(world.clone(), fleet.clone(), report.clone()),
        world,
        fleet,
        report,
        endpoint,
    };
    let summary = soak.run(options).await;
    eprint!("{}", summary.text());
    if options.keep {
        eprintln!(
            "the servers go on running; stop them with: scripts/services down --wipe --dir {}/postgres, and …/rabbitmq",
            directory.display()
        );
        std::mem::forget(soak.world.clone());
    }
    summary
}

/// One that no soak had before.
pub fn fresh_seed() -> u64 {
    // Short enough to be typed.
    fastrand::u64(..1_000_000_000)
}

struct Soak {
    world: Arc<World>,
    fleet: Arc<Fleet>,
    report: Arc<Report>,
    tormentor: Arc<Tormentor>,
    endpoint: RecordingEndpoint,
}

impl Soak {
    async fn run(&self, options: &SoakOptions) -> Summary {
        let (offers, failing) = self.create_workflows().await;
        let producers = Producers::start(&self.world, &self.fleet, &self.report, offers, options.seed);
        let mut background = JoinSet::new();
        background.spawn(self.fleet.clone().guard());
        let history = Arc::new(tokio::sync::Mutex::new(History::default()));
        background.spawn(watch(self.world.clone(), history.clone()));

        let began = Instant::now();
        let storms = plan(options.seed, options.length, options.faults_per_minute);
        let last = storms.len();
        for (number, storm) in storms.into_iter().enumerate() {
            self.report
                .say(&format!("storm {} of {last}: {} faults", number + 1, storm.len()));
            self.storm(storm).await;
            self.quiet(&producers).await;
        }
        let lasted = began.elapsed();
        self.tormentor.heal_links();
        self.report
            .say("all faults are over; waiting for every execution to end");
        let producing = tokio::spawn(producers.finish());
        let drained = self.tormentor.drains().await;
        let accepted = producing.await.expect("the producers cannot be ended");
        // The last submits may have been accepted after that.
        self.tormentor.drains().await;
        background.abort_all();
        while background.join_next().await.is_some() {}
        self.tormentor.leaves_nothing().await;
        let mut summary = self.judge(accepted, failing, &mut *history.lock().await).await;
        summary.seed = options.seed;
        summary.lasted = lasted;
        summary.drained = drained;
        summary
    }

    /// Through whichever API is up first. Answers with what producers may submit, and with what has to fail.
    async fn create_workflows(&self) -> (Vec<Offer>, BTreeSet<String>) {
        let (mut offers, mut failing) = (Vec::new(), BTreeSet::new());
        for workflow in scenery::workflows(&self.endpoint.url()) {
            let mut ids = [String::new(), String::new()];
            for (tenant, id) in ids.iter_mut().enumerate() {
                let client = eventually("an API is ready", async || {
                    let client = self.fleet.client(0, tenant)?;
                    client.is_ready().await.then_some(client)
                });
                *id = client.await.create_workflow(&workflow.definition).await;
                if workflow.fails {
                    failing.insert(id.clone());
                }
            }
            offers.push(Offer {
                ids,
                share: workflow.share,
            });
        }
        (offers, failing)
    }

    /// Until every fault of it is undone.
    async fn storm(&self, steps: Vec<Step>) {
        let began = Instant::now();
        let mut faults = JoinSet::new();
        for step in steps {
            sleep_until(began + step.at).await;
            faults.spawn(self.tormentor.clone().inflict(step));
        }
        while let Some(ended) = faults.join_next().await {
            ended.expect("a fault could not be handled");
        }
    }

    /// Executions have to be accepted and to end again, soon.
    async fn quiet(&self, producers: &Producers) {
        let began = Instant::now();
        self.report.say("quiet");
        let (accepted, mut ended) = (producers.accepted(), None);
        loop {
            let now = self.ended().await;
            ended = ended.or(now);
            let progress = now.zip(ended).is_some_and(|(now, then)| now > then);
            let waited = began.elapsed();
            if progress && producers.accepted() > accepted {
                self.report
                    .say(&format!("recovered after {:.1} s", waited.as_secs_f64()));
                self.report.recovered(waited);
                break;
            }
            if waited > RECOVERS_WITHIN {
                let what = format!(
                    "no progress {:.1} s after a storm: {} accepted since, {now:?} ended, {ended:?} at first",
                    waited.as_secs_f64(),
                    producers.accepted() - accepted
                );
                self.report.violation(Violation::new(Invariant::Recovers, what));
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        sleep_until(began + QUIET).await;
    }

    async fn ended(&self) -> Option<i64> {
        let ended = "SELECT count(*) FROM executions WHERE completed_at IS NOT NULL";
        self.world.database.number(ended, &[]).await
    }

    async fn judge(
        &self,
        accepted: Vec<Accepted>,
        failing: BTreeSet<String>,
        history: &mut History,
    ) -> Summary {
        let rows = self.world.database.executions().await;
        history.see(rows.iter().map(Sample::from));
        let evidence = Evidence {
            accepted,
            rows,
            calls: self.endpoint.calls(),
            calls_allowed: Calls::AtLeastOnce,
            failing,
            thaws: self.report.thaws(),
        };
        for violation in history.violations.drain(..).chain(evidence.violations()) {
            self.report.violation(violation);
        }
        let count = |status| evidence.rows.iter().filter(|row| row.status == status).count();
        Summary {
            accepted: evidence.accepted.len(),
            completed: count("COMPLETED"),
            failed: count("FAILED"),
            calls: evidence.calls.len(),
            ..self.report.summary()
        }
    }
}

async fn watch(world: Arc<World>, history: Arc<tokio::sync::Mutex<History>>) {
    loop {
        if let Some(samples) = world.database.samples().await {
            history.lock().await.see(samples);
        }
        sleep(SAMPLE_EVERY).await;
    }
}

/// An empty one, named after the seed.
fn make_directory(seed: u64) -> PathBuf {
    let directory = target_directory().join("soak").join(seed.to_string());
    // What the last soak of this seed has left, if there was one.
    std::fs::remove_dir_all(&directory).ok();
    std::fs::create_dir_all(&directory).expect("no directory for the soak's files");
    directory.canonicalize().expect("a directory that was just made")
}
