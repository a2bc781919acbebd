//! Waiting for an execution to end, for `Prefer: wait`: one statement for everyone who waits, never one poll each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, boxed};
use gristmill_store::{Ended, Protocol, System};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

/// A handle to the task that watches for ends.
#[derive(Clone)]
pub struct EndWatch {
    waiters: mpsc::Sender<Waiter>,
}

struct Waiter {
    id: ExecutionId,
    since: Instant,
    look_at: Instant,
    answer: oneshot::Sender<Ended>,
}

/// The pause between two looks at one execution is a quarter of the time that was waited for it, within these bounds:
/// one of a few milliseconds is seen at once, and one of minutes costs four looks a second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(250));

/// The pause between two statements, for each one who waits. A look costs the database two or three microseconds, so
/// that however many wait, looking takes about a tenth of one of its processors.
const PAUSE_PER_WAITER: Duration = Duration::from_micros(20);

/// How many newcomers are taken in at once.
const NEWCOMERS: usize = 1_024;

impl EndWatch {
    /// Starts the task behind it; it ends with the last handle.
    pub fn new(store: Arc<dyn Protocol>) -> Self {
        let (waiters, inbox) = mpsc::channel(NEWCOMERS);
        tokio::spawn(watch_all(inbox, store));
        Self { waiters }
    }

    /// Waits until the execution has ended, however long that takes; the caller sets the limit. `None` when the process
    /// is shutting down.
    #[boxed]
    pub async fn ended(&self, id: ExecutionId) -> Option<Ended> {
        let (answer, ended) = oneshot::channel();
        let since = Instant::now();
        let waiter = Waiter {
            id,
            since,
            look_at: since + PAUSES.0,
            answer,
        };
        self.waiters.send(waiter).await.ok()?;
        ended.await.ok()
    }
}

async fn watch_all(mut inbox: mpsc::Receiver<Waiter>, store: Arc<dyn Protocol>) {
    let mut waiting = Vec::new();
    let mut not_before = Instant::now();
    while receive_until_due(not_before, &mut inbox, &mut waiting)
        .await
        .is_some()
    {
        // A caller that gave up needs no answer.
        waiting.retain(|waiter| !waiter.answer.is_closed());
        not_before = Instant::now() + pause(waiting.len());
        if let Err(error) = look(&*store, &mut waiting).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "could not look for ended executions"
            );
            not_before = Instant::now() + PAUSES.1;
        }
    }
}

fn pause(waiters: usize) -> Duration {
    let waiters = u32::try_from(waiters).unwrap_or(u32::MAX);
    PAUSE_PER_WAITER.saturating_mul(waiters).clamp(PAUSES.0, PAUSES.1)
}

/// Takes in whoever comes until somebody is due. `None` when the last handle is gone.
async fn receive_until_due(
    not_before: Instant,
    inbox: &mut mpsc::Receiver<Waiter>,
    waiting: &mut Vec<Waiter>,
) -> Option<()> {
    loop {
        let due = waiting.iter().map(|waiter| waiter.look_at).min();
        let received = match due {
            None => inbox.recv_many(waiting, NEWCOMERS).await,
            Some(due) => {
                let due = due.max(not_before);
                match timeout_at(due, inbox.recv_many(waiting, NEWCOMERS)).await {
                    Ok(received) => received,
                    Err(_) => return Some(()),
                }
            }
        };
        if received == 0 {
            return None;
        }
    }
}

/// Looks at whoever is due, in one statement, and answers those whose execution has ended.
async fn look(store: &dyn Protocol, waiting: &mut Vec<Waiter>) -> Result<(), gristmill_store::Error> {
    let now = Instant::now();
    let due: Vec<_> = waiting
        .iter()
        .filter(|waiter| waiter.look_at <= now)
        .map(|waiter| waiter.id.clone())
        .collect();
    if due.is_empty() {
        return Ok(());
    }
    let ended = store.ended(System, &due).await?;
    let ended: HashMap<_, _> = ended.into_iter().map(|ended| (ended.id.clone(), ended)).collect();
    let seen = Instant::now();
    for mut waiter in std::mem::take(waiting) {
        match ended.get(&waiter.id) {
            // Whoever gave up in the meantime needs no answer.
            Some(ended) => drop(waiter.answer.send(ended.clone())),
            None => {
                if waiter.look_at <= now {
                    let age = seen - waiter.since;
                    waiter.look_at = seen + (age / 4).clamp(PAUSES.0, PAUSES.1);
                }
                waiting.push(waiter);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_further_apart_the_more_wait() {
        assert_eq!(pause(0), Duration::from_millis(1));
        assert_eq!(pause(1), Duration::from_millis(1));
        assert_eq!(pause(256), Duration::from_micros(5_120));
        assert_eq!(pause(1_000_000), Duration::from_millis(250));
    }
}
