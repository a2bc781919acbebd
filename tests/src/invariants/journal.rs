//! One execution: ended as it should, with a journal that is whole.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_core::journal::{AfterFailure, Entry};
use serde_json::Value;

use super::{Findings, Invariant};
use crate::database::Row;

pub(super) fn check(row: &Row, must_fail: bool, found: &mut Findings) {
    check_ending(row, must_fail, found);
    check_chunks(row, found);
    check_entries(row, found);
}

fn check_ending(row: &Row, must_fail: bool, found: &mut Findings) {
    let Row {
        id, status, error, ..
    } = row;
    let error: Value = error
        .as_deref()
        .and_then(|error| serde_json::from_str(error).ok())
        .unwrap_or_default();
    // A failure of its node is the workflow's own; any other code is Gristmill's.
    let ended_well = if must_fail {
        status == "FAILED" && error["nodeId"].is_string()
    } else {
        status == "COMPLETED"
    };
    found.expect(ended_well, Invariant::Ends, || {
        format!(
            "{id} is {status}, error {error}, attempt {}, losses {}",
            row.attempt, row.losses
        )
    });
}

fn check_chunks(row: &Row, found: &mut Findings) {
    let id = &row.id;
    let mut next = 0;
    for chunk in &row.chunks {
        found.expect(chunk.seq == next, Invariant::Forward, || {
            format!("{id} has a chunk at {} where {next} was next", chunk.seq)
        });
        next = chunk.seq + chunk.entries;
        found.expect(chunk.organization == row.organization, Invariant::Tenants, || {
            format!(
                "{id} of {} has a chunk of {}",
                row.organization, chunk.organization
            )
        });
    }
    found.expect(next == row.journal_len, Invariant::Forward, || {
        format!("{id} says that it has {} entries and has {next}", row.journal_len)
    });
}

/// Each node run begins before it ends, ends once, and is not begun again.
fn check_entries(row: &Row, found: &mut Findings) {
    let id = &row.id;
    let (mut started, mut ended) = (BTreeSet::new(), BTreeMap::new());
    let mut completed = 0;
    for entry in &row.journal {
        let Some(path) = entry.path() else {
            // A failed execution goes on: what had failed runs again.
            ended.retain(|_, end| *end != FAILED);
            continue;
        };
        if let Some(end) = ended.get(path) {
            found.add(
                Invariant::EffectsOnce,
                format!("{id}: {path} {end} and then {}", name(entry)),
            );
        }
        match entry {
            Entry::Started { .. } => drop(started.insert(path)),
            Entry::Completed { .. } => {
                completed += 1;
                ended.insert(path, name(entry));
            }
            Entry::Failed { .. } | Entry::Skipped { .. } | Entry::Disabled { .. } => {
                ended.insert(path, name(entry));
            }
            Entry::Waiting { .. } | Entry::Expanded { .. } | Entry::Reopened { .. } => {}
            Entry::Retrying { .. } | Entry::Aborted { .. } => {
                found.expect(started.contains(path), Invariant::EffectsOnce, || {
                    format!("{id}: {path} {} and never began", name(entry))
                });
            }
        }
    }
    found.expect(completed == row.nodes_executed, Invariant::Forward, || {
        format!(
            "{id} says that it ran {} nodes, and {completed} completed",
            row.nodes_executed
        )
    });
    if row.status == "COMPLETED" {
        for path in started.iter().filter(|path| !ended.contains_key(*path)) {
            found.add(Invariant::Ends, format!("{id}: {path} began and never ended"));
        }
    }
}

/// How a node run ended that failed its execution.
const FAILED: &str = "failed";

fn name(entry: &Entry) -> &'static str {
    match entry {
        Entry::Started { .. } => "began",
        Entry::Completed { .. } => "completed",
        Entry::Waiting { .. } => "waited",
        Entry::Expanded { .. } => "expanded",
        Entry::Reopened { .. } => "went on",
        Entry::Retrying { .. } => "failed once",
        Entry::Failed {
            then: AfterFailure::Fail,
            ..
        } => FAILED,
        Entry::Failed { .. } => "failed and was passed over",
        Entry::Skipped { .. } => "was skipped",
        Entry::Disabled { .. } => "was disabled",
        Entry::Aborted { .. } => "was aborted",
    }
}
