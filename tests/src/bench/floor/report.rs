//! Report: what is printed about the floor.

use std::time::Duration;

use gristmill_bench::{ByProcess, Latency, Machine, VERSION, round};
use serde::Serialize;

use super::Options;

/// How the floor did.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    grouped: bool,
    in_flight: u64,
    accepted: u64,
    completed: u64,
    failed: u64,
    /// From the first insert to the last completion.
    seconds: f64,
    executions_per_second: f64,
    /// From before the insert to after the completion.
    latency_ms: Latency,
    processor_seconds_per_1000: ByProcess,
}

impl Report {
    pub(super) fn new(options: &Options, times: Vec<f64>, took: Duration, spent: ByProcess) -> Self {
        let completed = times.len() as u64;
        Self {
            bench: "floor",
            version: VERSION,
            machine: Machine::this(),
            grouped: options.grouped,
            in_flight: options.in_flight,
            accepted: options.executions,
            completed,
            failed: options.executions - completed,
            seconds: round(took.as_secs_f64()),
            executions_per_second: round(completed as f64 / took.as_secs_f64()),
            latency_ms: Latency::of(times),
            processor_seconds_per_1000: spent,
        }
    }
}
