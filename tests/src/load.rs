//! Load: producers that do not give up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Answer, Client};
use crate::wait::{PATIENCE, eventually};

/// A steady stream of submits, each repeated under its idempotency key until it is accepted.
pub struct Load {
    producers: JoinSet<()>,
    seen: Arc<Mutex<Seen>>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Seen {
    /// The execution of each key that was accepted.
    accepted: BTreeMap<String, String>,
    /// How often each answer came; 0 stands for no answer.
    answers: BTreeMap<u16, usize>,
}

/// The pause of a producer between two submits.
const PAUSE: Duration = Duration::from_millis(50);

impl Load {
    /// Starts this many producers, which share one API.
    pub fn start(client: &Client, workflow: &str, producers: usize) -> Self {
        Self::start_numbered(client, workflow, producers, "load")
    }

    /// The same, under idempotency keys that begin with `prefix`.
    pub fn start_numbered(client: &Client, workflow: &str, producers: usize, prefix: &str) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let stop = watch::Sender::new(false);
        let mut running = JoinSet::new();
        for producer in 0..producers {
            let (client, workflow, seen) = (client.clone(), workflow.to_owned(), seen.clone());
            let producer = format!("{prefix}-{producer}");
            let stop = stop.subscribe();
            running.spawn(async move {
                for number in 0.. {
                    if *stop.borrow() {
                        return;
                    }
                    submit(&client, &workflow, &format!("{producer}-{number}"), number, &seen).await;
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
        Self {
            producers: running,
            seen,
            stop,
        }
    }

    /// How many submits were accepted so far.
    pub fn accepted(&self) -> usize {
        lock(&self.seen).accepted.len()
    }

    /// Waits until this many more were accepted.
    pub async fn accepts(&self, more: usize) {
        let wanted = self.accepted() + more;
        eventually(&format!("{more} more submits are accepted"), async || {
            (self.accepted() >= wanted).then_some(())
        })
        .await;
    }

    /// How many answers so far had this status; 0 stands for no answer.
    pub fn answers(&self, status: u16) -> usize {
        lock(&self.seen).answers.get(&status).copied().unwrap_or_default()
    }

    /// How many answers so far were no 202, or did not come at all.
    pub fn refused(&self) -> usize {
        lock(&self.seen)
            .answers
            .iter()
            .filter(|(status, _)| **status != 202)
            .map(|(_, count)| count)
            .sum()
    }

    /// Ends the stream, once every submit under way is accepted; answers with the executions.
    ///
    /// # Panics
    /// When a submit is not accepted in time.
    pub async fn finish(mut self) -> Vec<String> {
        self.stop.send_replace(true);
        let all = async { while self.producers.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(PATIENCE, all).await;
        let seen = lock(&self.seen);
        assert!(
            ended.is_ok(),
            "a submit was not accepted within {PATIENCE:?}; answers: {:?}",
            seen.answers
        );
        seen.accepted.values().cloned().collect()
    }
}

async fn submit(client: &Client, workflow: &str, key: &str, number: i64, seen: &Mutex<Seen>) {
    loop {
        let answer = client
            .try_execute(workflow, Some(key), json!({"number": number}))
            .await
            .ok();
        if lock(seen).note(key, answer) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Seen {
    /// Answers whether the submit was accepted.
    fn note(&mut self, key: &str, answer: Option<Answer>) -> bool {
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        *self.answers.entry(status).or_default() += 1;
        let accepted = answer.filter(|answer| answer.status == 202);
        accepted.is_some_and(|answer| {
            self.accepted.insert(key.to_owned(), answer.execution_id());
            true
        })
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
