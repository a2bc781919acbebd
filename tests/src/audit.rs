//! The end of every case: all has come to rest, and the invariants hold.

use std::collections::BTreeSet;

use gristmill_testkit::RecordingEndpoint;

use crate::database::Row;
use crate::invariants::{Accepted, Calls, Evidence, Violation};
use crate::system::System;
use crate::wait::eventually;

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

    /// Waits until all has come to rest, and checks the invariants where every execution has to complete: see
    /// [`Evidence::violations`]. Answers with the executions.
    ///
    /// # Panics
    /// When one of them does not hold.
    pub async fn check(&self, accepted: &[String], endpoint: &RecordingEndpoint, calls: Calls) -> Vec<Row> {
        self.comes_to_rest().await;
        let evidence = Evidence {
            accepted: accepted.iter().map(Accepted::from).collect(),
            rows: self.database.executions().await,
            calls: endpoint.calls(),
            calls_allowed: calls,
            failing: BTreeSet::new(),
            thaws: Vec::new(),
        };
        let violations: Vec<_> = evidence.violations().iter().map(Violation::to_string).collect();
        assert!(
            violations.is_empty(),
            "{}\n{:#?}",
            violations.join("\n"),
            evidence.rows
        );
        evidence.rows
    }

    /// Waits until every execution has ended, no queue holds a message, and no session holds a transaction open.
    ///
    /// # Panics
    /// When that does not come to be.
    pub async fn comes_to_rest(&self) {
        self.all_have_ended().await;
        self.queues_are_empty().await;
        eventually("no session is idle in a transaction", async || {
            self.database
                .idle_in_transaction()
                .await
                .filter(|sessions| *sessions == 0)
        })
        .await;
    }
}
