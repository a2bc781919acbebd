//! Upkeep: the background tasks of a process, one file each, and the list of all.

mod backlog;
mod delete_workflows;
mod remove_workflows;
mod resume_paused;
mod retention;
mod stats;

use std::sync::Arc;

use gristmill_queue::Broker;
use gristmill_store::{Error, Store};

use crate::relay::{Relay, RelayOptions, RelayWakeup};
use crate::task::{Task, Wakeup};
use crate::{DeadLetters, Publisher};

pub use backlog::BacklogGauge;
pub use delete_workflows::WorkflowDeletion;
pub use remove_workflows::WorkflowRemoval;
pub use resume_paused::PauseResume;
pub use retention::{PruneOptions, Pruner};
pub use stats::StatsAggregator;

/// What the background tasks work on, and how.
pub struct Upkeep {
    /// What is kept.
    pub store: Store,
    /// Where dead letters come from.
    pub broker: Arc<dyn Broker>,
    /// What the relay publishes through.
    pub publisher: Publisher,
    /// What wakes them.
    pub wakeups: Wakeups,
    /// How the relay works.
    pub relay: RelayOptions,
    /// What is kept of what has ended.
    pub retention: PruneOptions,
}

/// What wakes background tasks of the same process; clones wake the same ones.
#[derive(Debug, Clone, Default)]
pub struct Wakeups {
    /// For whoever has just made an execution due.
    pub relay: RelayWakeup,
    /// For whoever has just resumed a workflow.
    pub resume_paused: Wakeup,
}

/// All background tasks. Every process drives each of them.
pub fn tasks(upkeep: Upkeep) -> Vec<Box<dyn Task>> {
    let Upkeep {
        store,
        broker,
        publisher,
        wakeups,
        relay,
        retention,
    } = upkeep;
    let protocol = store.protocol();
    vec![
        Box::new(Relay::new(
            protocol.clone(),
            publisher,
            wakeups.relay.clone(),
            relay,
        )),
        Box::new(DeadLetters::new(protocol.clone(), broker)),
        Box::new(PauseResume::new(
            protocol.clone(),
            wakeups.resume_paused,
            wakeups.relay.clone(),
        )),
        Box::new(WorkflowDeletion::new(store.clone(), wakeups.relay)),
        Box::new(WorkflowRemoval::new(store)),
        Box::new(Pruner::new(protocol.clone(), retention)),
        Box::new(StatsAggregator::new(protocol.clone())),
        Box::new(BacklogGauge::new(protocol)),
    ]
}

/// Whether the next statement would fail, too.
const fn is_away(error: &Error) -> bool {
    matches!(error, Error::Connect(_) | Error::Lost(_))
}
