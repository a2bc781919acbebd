//! Report: what is printed about a system that keeps its past.

use std::time::Duration;

use gristmill_bench::system::Ended;
use gristmill_bench::{ByProcess, Latency, Machine, VERSION, round};
use serde::Serialize;

/// How the cost of an execution grows.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    in_flight: u64,
    stages: Vec<Stage>,
}

/// One measurement, and how it compares with the first.
#[derive(Debug, Serialize)]
pub(super) struct Stage {
    /// How many executions had ended before.
    stored: u64,
    /// For how long a transaction had been open.
    held_seconds: f64,
    accepted: u64,
    completed: u64,
    failed: u64,
    executions_per_second: f64,
    latency_ms: Latency,
    processor_seconds_per_1000: ByProcess,
    /// Time for an execution, as a multiple of the first stage's.
    seconds_ratio: f64,
    /// Processor seconds for an execution, of everything but the benchmark, as a multiple of the first stage's.
    processor_ratio: f64,
}

impl Stage {
    pub(super) fn new(
        stored: u64,
        held: Duration,
        ended: &[Ended],
        took: Duration,
        spent: ByProcess,
    ) -> Self {
        let completed = ended.iter().filter(|ended| ended.completed).count();
        let latency = |ended: &Ended| (ended.completed_at - ended.created_at).as_seconds_f64() * 1_000.0;
        Self {
            stored,
            held_seconds: round(held.as_secs_f64()),
            accepted: ended.len() as u64,
            completed: completed as u64,
            failed: (ended.len() - completed) as u64,
            executions_per_second: round(ended.len() as f64 / took.as_secs_f64()),
            latency_ms: Latency::of(ended.iter().map(latency).collect()),
            processor_seconds_per_1000: spent,
            seconds_ratio: 1.0,
            processor_ratio: 1.0,
        }
    }

    fn processor_seconds(&self) -> f64 {
        let all = self.processor_seconds_per_1000.iter();
        all.filter(|(name, _)| **name != "bench")
            .map(|(_, seconds)| seconds)
            .sum()
    }
}

impl Report {
    pub(super) fn new(in_flight: u64, mut stages: Vec<Stage>) -> Self {
        if let Some(first) = stages.first() {
            let (rate, spent) = (first.executions_per_second, first.processor_seconds());
            for stage in &mut stages {
                stage.seconds_ratio = round(rate / stage.executions_per_second);
                stage.processor_ratio = round(stage.processor_seconds() / spent);
            }
        }
        Self {
            bench: "stored",
            version: VERSION,
            machine: Machine::this(),
            in_flight,
            stages,
        }
    }

    /// How many executions did not complete.
    pub fn failed(&self) -> u64 {
        self.stages.iter().map(|stage| stage.failed).sum()
    }
}
