//! Producers: each repeats a submit under its idempotency key until it is accepted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;
use tokio::task::JoinSet;

use super::fault::APIS;
use super::fleet::Fleet;
use super::report::Report;
use super::world::World;
use crate::client::{Answer, Submit};
use crate::invariants::{Accepted, Invariant, Violation};

/// How many there are.
const PRODUCERS: u64 = 10;

/// The longest pause between two submits of one producer.
const PAUSE: Duration = Duration::from_millis(400);

/// The pause before a submit is repeated.
const REPEAT_AFTER: Duration = Duration::from_millis(200);

/// How long a producer waits for an answer, unless it is one of the impatient.
const PATIENCE: Duration = Duration::from_secs(12);

/// What a submit may be answered with. The database may be away; nothing else is a reason to refuse.
const ANSWERS: [u16; 3] = [200, 202, 503];

/// What a workflow of each organization is called there, and how often it is to be used.
pub(super) struct Offer {
    pub(super) ids: [String; 2],
    pub(super) share: u32,
}

/// The producers at work.
pub(super) struct Producers {
    tasks: JoinSet<()>,
    ledger: Arc<Ledger>,
}

pub(super) struct Ledger {
    accepted: Mutex<BTreeMap<String, Accepted>>,
    stop: AtomicBool,
}

struct Producer {
    world: Arc<World>,
    fleet: Arc<Fleet>,
    report: Arc<Report>,
    offers: Arc<Vec<Offer>>,
    ledger: Arc<Ledger>,
    rng: Rng,
}

impl Producers {
    pub(super) fn start(
        world: &Arc<World>,
        fleet: &Arc<Fleet>,
        report: &Arc<Report>,
        offers: Vec<Offer>,
        seed: u64,
    ) -> Self {
        let offers = Arc::new(offers);
        let ledger = Arc::new(Ledger {
            accepted: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        for number in 0..PRODUCERS {
            let producer = Producer {
                world: world.clone(),
                fleet: fleet.clone(),
                report: report.clone(),
                offers: offers.clone(),
                ledger: ledger.clone(),
                rng: Rng::with_seed(seed ^ (number + 1)),
            };
            tasks.spawn(producer.run(number));
        }
        Self { tasks, ledger }
    }

    /// How many executions were accepted so far.
    pub(super) fn accepted(&self) -> usize {
        self.ledger.lock().len()
    }

    /// Lets each end with the submit that it is at; answers with all that was accepted.
    pub(super) async fn finish(mut self) -> Vec<Accepted> {
        self.ledger.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a producer panicked");
        }
        std::mem::take(&mut *self.ledger.lock()).into_values().collect()
    }
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Accepted>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Producer {
    async fn run(mut self, producer: u64) {
        for number in 0_u64.. {
            if self.ledger.stop.load(Ordering::Relaxed) {
                return;
            }
            let tenant = self.rng.usize(..2);
            let workflow = self.pick_workflow(tenant);
            let key = format!("{producer}-{number}");
            self.submit_until_accepted(tenant, &workflow, &key, number).await;
            if self.rng.u8(..10) == 0 {
                // Once more, for whom the answer was lost on the way home.
                self.submit_until_accepted(tenant, &workflow, &key, number).await;
            }
            tokio::time::sleep(PAUSE.mul_f64(self.rng.f64())).await;
        }
    }

    fn pick_workflow(&mut self, tenant: usize) -> String {
        let mut left = self.rng.u32(..100);
        let offer = self.offers.iter().find(|offer| {
            let found = left < offer.share;
            left = left.saturating_sub(offer.share);
            found
        });
        offer.expect("the shares make a hundred").ids[tenant].clone()
    }

    async fn submit_until_accepted(&mut self, tenant: usize, workflow: &str, key: &str, number: u64) {
        let organization = &self.world.tenants[tenant].organization.clone();
        let wait = (self.rng.u8(..4) == 0).then_some(3);
        loop {
            // The impatient hang up in the middle of it.
            let impatient = self.rng.u8(..8) == 0;
            let submit = Submit {
                workflow,
                key: Some(key),
                input: json!({"number": number, "organization": organization}),
                wait,
                patience: if impatient {
                    PATIENCE.mul_f64(self.rng.f64() / 60.0)
                } else {
                    PATIENCE
                },
            };
            if let Some(client) = self.fleet.client(self.rng.usize(..APIS), tenant)
                && let Ok(answer) = client.submit(submit).await
                && self.note(key, organization, &answer)
            {
                return;
            }
            tokio::time::sleep(REPEAT_AFTER).await;
        }
    }

    /// Answers whether it was accepted.
    fn note(&self, key: &str, organization: &str, answer: &Answer) -> bool {
        if !ANSWERS.contains(&answer.status) {
            let what = format!("the submit {key} was answered with {answer:?}");
            self.report.violation(Violation::new(Invariant::Acceptance, what));
        }
        if !matches!(answer.status, 200 | 202) {
            return false;
        }
        let execution = &answer.body["execution"];
        let accepted = Accepted {
            execution: answer.execution_id(),
            key: Some(key.to_owned()),
            organization: Some(organization.to_owned()),
            ended: (answer.status == 200).then(|| {
                let status = execution["status"].as_str().unwrap_or_default();
                (status.to_owned(), execution["output"].clone())
            }),
        };
        let mut ledger = self.ledger.lock();
        if let Some(earlier) = ledger
            .get(key)
            .filter(|earlier| earlier.execution != accepted.execution)
        {
            let what = format!("the submit {key} was answered with {accepted:?} after {earlier:?}");
            self.report.violation(Violation::new(Invariant::Acceptance, what));
        }
        ledger.insert(key.to_owned(), accepted);
        true
    }
}
