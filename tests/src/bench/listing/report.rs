//! Report: what is printed about lists.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_bench::{Machine, VERSION, round};
use serde::Serialize;

/// What each list has read.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    /// Of the organization, and of another.
    executions: u64,
    /// How many lists were read.
    lists: usize,
    /// The most blocks that one of them has read.
    most_blocks: u64,
    /// The longest that one of them has taken.
    most_ms: f64,
    /// The same for the lists that are narrowed by the same filters.
    by_filters: BTreeMap<String, Most>,
    /// The lists that have read most.
    worst: Vec<Reading>,
}

/// The most of several lists.
#[derive(Debug, Default, Serialize)]
struct Most {
    lists: usize,
    most_blocks: u64,
    most_ms: f64,
}

/// One list.
#[derive(Debug, Serialize)]
pub(super) struct Reading {
    list: String,
    #[serde(skip)]
    filters: String,
    /// Shared blocks, whether they were in memory or not.
    blocks: u64,
    /// How many executions the page has.
    rows: usize,
    /// From asking the store until it answered.
    ms: f64,
}

/// How many lists are told one by one.
const WORST: usize = 10;

impl Reading {
    pub(super) fn new(list: String, filters: String, blocks: u64, rows: usize, took: Duration) -> Self {
        Self {
            list,
            filters,
            blocks,
            rows,
            ms: round(took.as_secs_f64() * 1_000.0),
        }
    }
}

impl Report {
    pub(super) fn new(executions: u64, mut readings: Vec<Reading>) -> Self {
        let most_ms = readings.iter().map(|reading| reading.ms).fold(0.0, f64::max);
        let mut by_filters = BTreeMap::<_, Most>::new();
        for reading in &readings {
            let most = by_filters.entry(reading.filters.clone()).or_default();
            most.lists += 1;
            most.most_blocks = most.most_blocks.max(reading.blocks);
            most.most_ms = most.most_ms.max(reading.ms);
        }
        readings.sort_by_key(|reading| std::cmp::Reverse(reading.blocks));
        Self {
            bench: "listing",
            version: VERSION,
            machine: Machine::this(),
            executions,
            lists: readings.len(),
            most_blocks: readings.first().map_or(0, |reading| reading.blocks),
            most_ms,
            by_filters,
            worst: readings.into_iter().take(WORST).collect(),
        }
    }

    /// The most blocks that a list has read.
    pub fn most_blocks(&self) -> u64 {
        self.most_blocks
    }
}

/// The blocks that a plan has read, those of the planner left out: the first line that counts them is of the whole.
pub(super) fn blocks(plan: &str) -> u64 {
    let line = plan.lines().find(|line| line.contains("Buffers: shared"));
    let words: Vec<_> = line.unwrap_or_default().split([' ', '=']).collect();
    let counts = words.windows(2).filter(|pair| ["hit", "read"].contains(&pair[0]));
    counts.filter_map(|pair| pair[1].parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_in_memory_and_those_that_were_not() {
        let plan = "Limit  (actual rows=1 loops=1)\n  Buffers: shared hit=12 read=3 written=7\n  ->  Index Scan\n        \
            Buffers: shared hit=99";
        assert_eq!(blocks(plan), 15);
        assert_eq!(blocks("Result"), 0);
    }
}
