//! Waiting for an execution to end, for `Prefer: wait`: one statement for everyone who waits, never one poll each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Protocol, System};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::warn;

/// A handle to the task that watches for ends.
#[derive(Clone)]
pub struct EndWatch {
    waiters: mpsc::Sender<Waiter>,
}

struct Waiter {
    id: ExecutionId,
    since: Instant,
    ended: oneshot::Sender<ExecutionStatus>,
}

/// The pause between two looks is a quarter of the youngest waiter's age, within these bounds: an execution of a few
/// milliseconds is seen at once, and one of minutes costs four looks a second, however many wait.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(250));

impl EndWatch {
    /// Starts the task behind it; it ends with the last handle.
    pub fn new(store: Arc<dyn Protocol>) -> Self {
        let (waiters, inbox) = mpsc::channel(1_024);
        tokio::spawn(watch_all(inbox, store));
        Self { waiters }
    }

    /// Waits until the execution has ended, however long that takes; the caller sets the limit. `None` when the process
    /// is shutting down.
    pub async fn ended(&self, id: ExecutionId) -> Option<ExecutionStatus> {
        let (ended, status) = oneshot::channel();
        self.waiters
            .send(Waiter {
                id,
                since: Instant::now(),
                ended,
            })
            .await
            .ok()?;
        status.await.ok()
    }
}

async fn watch_all(mut inbox: mpsc::Receiver<Waiter>, store: Arc<dyn Protocol>) {
    let mut waiting: HashMap<ExecutionId, Vec<Waiter>> = HashMap::new();
    loop {
        if waiting.is_empty() {
            match inbox.recv().await {
                Some(waiter) => waiting.entry(waiter.id.clone()).or_default().push(waiter),
                None => return,
            }
        }
        if receive_for(pause(&waiting), &mut inbox, &mut waiting)
            .await
            .is_none()
        {
            return;
        }
        waiting.retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.ended.is_closed());
            !waiters.is_empty()
        });
        answer_ended(&*store, &mut waiting).await;
    }
}

fn pause(waiting: &HashMap<ExecutionId, Vec<Waiter>>) -> Duration {
    let youngest = waiting
        .values()
        .flatten()
        .map(|waiter| waiter.since.elapsed())
        .min();
    (youngest.unwrap_or_default() / 4).clamp(PAUSES.0, PAUSES.1)
}

/// Takes in whoever comes during the pause; the first newcomer ends it, since a young waiter wants a close look.
/// `None` when the last handle is gone.
async fn receive_for(
    pause: Duration,
    inbox: &mut mpsc::Receiver<Waiter>,
    waiting: &mut HashMap<ExecutionId, Vec<Waiter>>,
) -> Option<()> {
    match tokio::time::timeout(pause, inbox.recv()).await {
        Err(_) => return Some(()),
        Ok(None) => return None,
        Ok(Some(waiter)) => waiting.entry(waiter.id.clone()).or_default().push(waiter),
    }
    while let Ok(waiter) = inbox.try_recv() {
        waiting.entry(waiter.id.clone()).or_default().push(waiter);
    }
    tokio::time::sleep(PAUSES.0).await;
    Some(())
}

async fn answer_ended(store: &dyn Protocol, waiting: &mut HashMap<ExecutionId, Vec<Waiter>>) {
    let ids: Vec<_> = waiting.keys().cloned().collect();
    if ids.is_empty() {
        return;
    }
    match store.watch(System, &ids).await {
        Ok(rows) => {
            for row in rows.into_iter().filter(|row| row.status.is_terminal()) {
                for waiter in waiting.remove(&row.id).unwrap_or_default() {
                    // A caller that gave up needs no answer.
                    waiter.ended.send(row.status).ok();
                }
            }
        }
        Err(error) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "could not look for ended executions"
            );
            tokio::time::sleep(PAUSES.1).await;
        }
    }
}
