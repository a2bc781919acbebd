//! Acceptance: one execution for each that was accepted, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Accepted, Evidence, Findings, Invariant};
use crate::database::Row;

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    let rows: BTreeMap<&str, &Row> = evidence.rows.iter().map(|row| (&*row.id, row)).collect();
    let mut answered = BTreeSet::new();
    for accepted in &evidence.accepted {
        let id = &*accepted.execution;
        found.expect(answered.insert(id), Invariant::Acceptance, || {
            format!("{id} was the answer to two submits")
        });
        match rows.get(id) {
            Some(row) => compare(accepted, row, found),
            None => found.add(
                Invariant::Acceptance,
                format!("{id} was accepted and is not there"),
            ),
        }
    }
    for id in rows.keys().filter(|id| !answered.contains(*id)) {
        found.add(
            Invariant::Acceptance,
            format!("{id} is there and was never accepted"),
        );
    }
}

fn compare(accepted: &Accepted, row: &Row, found: &mut Findings) {
    let id = &row.id;
    if let Some(organization) = &accepted.organization {
        found.expect(organization == &row.organization, Invariant::Tenants, || {
            format!(
                "{id} was accepted from {organization} and belongs to {}",
                row.organization
            )
        });
    }
    if let Some(key) = &accepted.key {
        found.expect(Some(key) == row.key.as_ref(), Invariant::Acceptance, || {
            format!(
                "{id} was the answer to the key {key} and has the key {:?}",
                row.key
            )
        });
    }
    if let Some((status, output)) = &accepted.ended {
        let stored: Value = read(row.output.as_deref());
        found.expect(
            status == &row.status && output == &stored,
            Invariant::Forward,
            || {
                format!(
                    "{id} was shown as {status} with {output} and is {} with {stored}",
                    row.status
                )
            },
        );
    }
}

fn read(output: Option<&str>) -> Value {
    output
        .and_then(|output| serde_json::from_str(output).ok())
        .unwrap_or_default()
}
