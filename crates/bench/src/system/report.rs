//! Report: what is printed about a run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::load::{Ended, Load};
use crate::latency::Latency;
use crate::machine::{Machine, VERSION};
use crate::meter::{ByProcess, Peak};
use crate::round::round;

/// How a system did.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    in_flight: u64,
    /// Submits that were answered with an execution.
    accepted: u64,
    completed: u64,
    failed: u64,
    /// From the first `createdAt` to the last `completedAt`: both by the database's clock.
    seconds: f64,
    executions_per_second: f64,
    /// From `createdAt` to `completedAt`.
    latency_ms: Latency,
    /// From sending the submit to having the answer that the execution ended, as the producer sees it.
    answer_ms: Latency,
    /// By process, as far as they could be looked at.
    processor_seconds_per_1000: ByProcess,
    /// Of the processes that were started for this.
    memory_mib: BTreeMap<&'static str, Peak>,
}

impl Report {
    pub(super) fn new(
        load: Load,
        ended: Vec<Ended>,
        spent: ByProcess,
        memory: BTreeMap<&'static str, Peak>,
    ) -> Self {
        let completed = ended.iter().filter(|ended| ended.completed).count();
        let first = ended.iter().map(|ended| ended.created_at).min();
        let last = ended.iter().map(|ended| ended.completed_at).max();
        let seconds = first
            .zip(last)
            .map_or(0.0, |(first, last)| (last - first).as_seconds_f64());
        let latency = |ended: &Ended| (ended.completed_at - ended.created_at).as_seconds_f64() * 1_000.0;
        let answer = |ended: &Ended| ended.answered_after.as_secs_f64() * 1_000.0;
        Self {
            bench: "system",
            version: VERSION,
            machine: Machine::this(),
            in_flight: load.in_flight,
            accepted: ended.len() as u64,
            completed: completed as u64,
            failed: (ended.len() - completed) as u64,
            seconds: round(seconds),
            executions_per_second: round(ended.len() as f64 / seconds),
            latency_ms: Latency::of(ended.iter().map(latency).collect()),
            answer_ms: Latency::of(ended.iter().map(answer).collect()),
            processor_seconds_per_1000: spent,
            memory_mib: memory,
        }
    }

    /// How many executions did not complete.
    pub fn failed(&self) -> u64 {
        self.failed
    }
}
