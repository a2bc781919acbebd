//! Options: how a worker works.

use std::time::Duration;

use gristmill_queue::Lane;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// What operators see as the holder of an execution; unique among the workers.
    pub name: String,
    /// Which lanes it takes jobs from.
    pub lanes: Vec<Lane>,
    /// How many executions it runs at a time.
    pub concurrency: u16,
    /// How long a claim lasts unless renewed. At least three times `renew_every`, and twice that on top of the fence's
    /// margin of three seconds.
    pub lease: Duration,
    /// How often leases are renewed.
    pub renew_every: Duration,
    /// How long effects in flight may take to end when the worker is told to stop.
    pub drain_grace: Duration,
    /// What the engine is told for every execution.
    pub engine: gristmill_engine::Options,
}
