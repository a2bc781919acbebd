//! What must hold after every case, whatever was done to the system: the invariants of the failure catalogue.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_core::journal::Entry;
use gristmill_testkit::RecordingEndpoint;

use crate::database::Row;
use crate::system::System;
use crate::wait::eventually;

/// How often an effect may have been called that is in the journal as completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Once: no worker was lost in the middle.
    Once,
    /// Once at least: a worker may have been lost between the call and its commit.
    AtLeastOnce,
}

impl System {
    /// Waits until every execution has ended, however it did.
    pub async fn all_have_ended(&self) {
        eventually("every execution ends", async || {
            self.database
                .unfinished()
                .await
                .filter(|unfinished| *unfinished == 0)
        })
        .await;
    }

    /// Waits until every execution has ended, and checks that
    ///
    /// - there is one execution for each that was accepted, and no other,
    /// - each is COMPLETED, once,
    /// - its journal is whole, and shows every effect completed once,
    /// - the endpoint was called for each of these effects as often as `calls` allows, and for no other,
    /// - no job is left in any lane, and no session holds a transaction open.
    ///
    /// Answers with the executions.
    ///
    /// # Panics
    /// When one of these does not hold.
    pub async fn check(&self, accepted: &[String], endpoint: &RecordingEndpoint, calls: Calls) -> Vec<Row> {
        eventually("every execution ends", async || {
            self.database
                .unfinished()
                .await
                .filter(|unfinished| *unfinished == 0)
        })
        .await;
        let rows = self.database.executions().await;
        let known: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
        let expected: BTreeSet<_> = accepted.iter().collect();
        assert_eq!(
            accepted.len(),
            expected.len(),
            "one execution was the answer to two submits"
        );
        assert_eq!(
            known, expected,
            "what was accepted and what there is are not the same"
        );
        let mut completed = BTreeSet::new();
        for row in &rows {
            completed.extend(check_execution(row));
        }
        check_calls(&completed, endpoint, calls);
        self.queues_are_empty().await;
        eventually("no session is idle in a transaction", async || {
            self.database
                .idle_in_transaction()
                .await
                .filter(|sessions| *sessions == 0)
        })
        .await;
        rows
    }
}

/// Answers with the idempotency keys of its completed effects.
fn check_execution(row: &Row) -> BTreeSet<String> {
    assert_eq!(row.status, "COMPLETED", "{row:#?}");
    assert_eq!(row.journal.len(), row.journal_len as usize, "{row:#?}");
    let mut completed = BTreeSet::new();
    let mut started = BTreeSet::new();
    for entry in &row.journal {
        match entry {
            Entry::Started { path, .. } => drop(started.insert(path)),
            Entry::Completed { path, .. } => {
                assert!(completed.insert(path), "{path} completed twice: {row:#?}");
            }
            _ => {}
        }
    }
    assert_eq!(completed.len(), row.nodes_executed as usize, "{row:#?}");
    let unfinished: Vec<_> = started.difference(&completed).collect();
    assert!(
        unfinished.is_empty(),
        "{unfinished:?} began and never ended: {row:#?}"
    );
    started
        .into_iter()
        .map(|path| format!("{}:{path}", row.id))
        .collect()
}

fn check_calls(completed: &BTreeSet<String>, endpoint: &RecordingEndpoint, calls: Calls) {
    let mut seen = BTreeMap::<String, usize>::new();
    for call in endpoint.calls() {
        let key = call
            .header("idempotency-key")
            .expect("a call without an idempotency key");
        *seen.entry(key.to_owned()).or_default() += 1;
    }
    let called: BTreeSet<_> = seen.keys().cloned().collect();
    assert_eq!(
        &called, completed,
        "the calls that arrived and the effects that completed are not the same"
    );
    if calls == Calls::Once {
        let repeated: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
        assert!(repeated.is_empty(), "called more than once: {repeated:?}");
    }
}
