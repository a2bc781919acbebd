//! Deletion: the background task that cancels the executions of deleted workflows. What it does may be done twice.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_core::WorkflowId;
use gristmill_store::{Actor, Cancelled, Deletion, Error, Store, System};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::is_away;
use crate::relay::RelayWakeup;
use crate::task::{Failure, Next, Pace, Task};

/// Empties deleted workflows of what is unfinished.
pub struct WorkflowDeletion {
    store: Store,
    relay: RelayWakeup,
    /// Deleted workflows that were emptied once, and are looked at once more when no submit can come any more.
    emptied: HashSet<WorkflowId>,
}

const INTERVAL: Duration = Duration::from_secs(2);

/// How many executions of a deleted workflow one statement finds.
const PAGE: usize = 500;

/// How many deleted workflows are looked at in one run.
const WORKFLOWS: i64 = 100;

/// How far a deletion was carried on.
enum Carried {
    /// As far as is possible now, with so many executions cancelled.
    On(usize),
    /// The task is to stop.
    Stopped,
}

impl WorkflowDeletion {
    /// Wakes the relay for the parents of what it cancelled.
    pub fn new(store: Store, relay: RelayWakeup) -> Self {
        Self {
            store,
            relay,
            emptied: HashSet::new(),
        }
    }

    async fn cancel(&mut self, stop: &CancellationToken) -> Result<Next, Failure> {
        let mut cancelled = 0;
        for deletion in self.store.deletions(System, WORKFLOWS).await? {
            if !deletion.is_quiet && self.emptied.contains(&deletion.id) {
                continue;
            }
            match self.carry_on(&deletion, stop).await {
                Ok(Carried::On(executions)) => cancelled += executions,
                Ok(Carried::Stopped) => break,
                // It is among the oldest each time: the others would never have their turn.
                Err(error) if !is_away(&error) => warn!(
                    workflow.id = %deletion.id,
                    error = &error as &dyn std::error::Error,
                    "the executions of a deleted workflow could not be cancelled"
                ),
                Err(error) => return Err(error.into()),
            }
        }
        // How long cancelling took says nothing of what a look costs: the next run is one.
        Ok(Next::again_if(cancelled > 0))
    }

    async fn carry_on(&mut self, deletion: &Deletion, stop: &CancellationToken) -> Result<Carried, Error> {
        let carried = self.empty(deletion, stop).await?;
        if matches!(carried, Carried::On(_)) {
            if deletion.is_quiet {
                self.store.note_emptied(&deletion.tenant, &deletion.id).await?;
                self.emptied.remove(&deletion.id);
            } else {
                self.emptied.insert(deletion.id.clone());
            }
        }
        Ok(carried)
    }

    /// Cancels every unfinished execution of a deleted workflow, newest first, each in a transaction of its own.
    async fn empty(&self, deletion: &Deletion, stop: &CancellationToken) -> Result<Carried, Error> {
        let (protocol, mut after, mut executions) = (self.store.protocol(), None, 0);
        loop {
            let (unfinished, next) = self
                .store
                .unfinished_executions(&deletion.tenant, &deletion.id, after.as_ref(), PAGE)
                .await?;
            for execution in unfinished {
                if stop.is_cancelled() {
                    return Ok(Carried::Stopped);
                }
                if let Cancelled::Yes(cancelled) = protocol
                    .cancel(&deletion.tenant, &Actor::OPERATOR, &execution)
                    .await?
                {
                    executions += cancelled;
                    self.relay.wake();
                }
            }
            if next.is_none() {
                if executions > 0 {
                    info!(workflow.id = %deletion.id, executions, "cancelled what a deleted workflow left");
                }
                return Ok(Carried::On(executions));
            }
            after = next;
        }
    }
}

impl Task for WorkflowDeletion {
    fn name(&self) -> &'static str {
        "delete_workflows"
    }

    fn pace(&self) -> Pace {
        Pace::yielding(INTERVAL)
    }

    fn run<'a>(&'a mut self, stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.cancel(stop).boxed()
    }
}
