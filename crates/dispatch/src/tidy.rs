//! What resuming and deleting workflows leaves to be done: the background task that starts what was held, cancels the
//! executions of deleted workflows, and removes those workflows when nothing is left of them. Every process runs one; all
//! that it does may be done twice.

use std::collections::HashSet;
use std::time::Duration;

use gristmill_core::WorkflowId;
use gristmill_store::{Actor, Cancelled, Deletion, Error, Store, System};
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::Bell;

/// Carries resumes and deletions to their ends.
pub struct Tidier {
    store: Store,
    bell: Bell,
    /// Deleted workflows that were emptied once, and are looked at once more when no submit can come any more.
    emptied: HashSet<WorkflowId>,
}

/// How often to look.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often to look for deleted workflows that no execution is left of.
const REMOVE_EVERY: Duration = Duration::from_secs(60);

/// How many held executions one statement starts; when there were that many, the next follows at once.
const HELD: i64 = 500;

/// How many executions of a deleted workflow one statement looks at.
const PAGE: i64 = 500;

/// How many deleted workflows are looked at, or removed, at a time.
const WORKFLOWS: i64 = 100;

impl Tidier {
    /// A tidier that has not begun, and rings `bell` for what it made due.
    pub fn new(store: Store, bell: Bell) -> Self {
        Self {
            store,
            bell,
            emptied: HashSet::new(),
        }
    }

    /// Works until `shutdown`. A step under way is carried to its end.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut remove_at = Instant::now();
        while !shutdown.is_cancelled() {
            note(
                self.release().await,
                "what paused workflows held could not be started",
            );
            note(
                self.cancel(&shutdown).await,
                "the executions of deleted workflows could not be cancelled",
            );
            if Instant::now() >= remove_at {
                remove_at = Instant::now() + REMOVE_EVERY;
                note(self.remove().await, "deleted workflows could not be removed");
            }
            // Processes that were started together need not look together.
            let pause = INTERVAL.mul_f64(0.75 + fastrand::f64() / 2.0);
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn release(&self) -> Result<(), Error> {
        loop {
            let released = self.store.protocol().release_held(System, HELD).await?;
            if released > 0 {
                debug!(
                    executions = released,
                    "started what was held for paused workflows"
                );
                self.bell.ring();
            }
            if released < HELD.unsigned_abs() {
                return Ok(());
            }
        }
    }

    async fn cancel(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        for deletion in self.store.deletions(System, WORKFLOWS).await? {
            if !deletion.is_quiet && self.emptied.contains(&deletion.id) {
                continue;
            }
            if !self.empty(&deletion, shutdown).await? {
                return Ok(());
            }
            if deletion.is_quiet {
                self.store.note_emptied(&deletion.tenant, &deletion.id).await?;
                self.emptied.remove(&deletion.id);
            } else {
                self.emptied.insert(deletion.id);
            }
        }
        Ok(())
    }

    /// Cancels every unfinished execution of a deleted workflow, newest first, each in a transaction of its own. Answers
    /// whether it came to the end.
    async fn empty(&self, deletion: &Deletion, shutdown: &CancellationToken) -> Result<bool, Error> {
        let (protocol, mut before, mut executions) = (self.store.protocol(), None, 0);
        loop {
            let (unfinished, last) = self
                .store
                .unfinished_executions(&deletion.tenant, &deletion.id, before.as_ref(), PAGE)
                .await?;
            for execution in unfinished {
                if shutdown.is_cancelled() {
                    return Ok(false);
                }
                if let Cancelled::Yes(cancelled) = protocol
                    .cancel(&deletion.tenant, &Actor::OPERATOR, &execution)
                    .await?
                {
                    executions += cancelled;
                    self.bell.ring();
                }
            }
            if last.is_none() {
                if executions > 0 {
                    info!(workflow.id = %deletion.id, executions, "cancelled what a deleted workflow left");
                }
                return Ok(true);
            }
            before = last;
        }
    }

    async fn remove(&self) -> Result<(), Error> {
        let removed = self.store.remove_deleted_workflows(System, WORKFLOWS).await?;
        counter!("gristmill_workflows_removed_total").increment(removed as u64);
        Ok(())
    }
}

fn note(result: Result<(), Error>, failed: &str) {
    if let Err(error) = result {
        warn!(error = &error as &dyn std::error::Error, "{failed}");
    }
}
