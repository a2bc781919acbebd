//! The end of a soak: all faults are over, and all has to come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::RECOVERS_WITHIN;
use super::fault::MEMBERS;
use super::inflict::Tormentor;
use crate::invariants::{Invariant, Sample, Violation};
use crate::settings::LANES;

/// How long executions may wait that have lost several workers in a row: the pauses between their attempts grow to 90 s.
const PAUSES: Duration = Duration::from_secs(150);

/// How long queues and sessions may take to be empty once nothing runs any more.
const EMPTIES_WITHIN: Duration = Duration::from_secs(20);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What has not ended. One that waits does so until its time, and for the relay to come by.
const UNFINISHED: &str = "
    SELECT id, status, attempt, journal_len,
        status = 'WAITING' AND wake_at > clock_timestamp() - interval '4 seconds' AS waits,
        format('losses %s, wake_at %s from now, published %s, claimed by %s', losses, wake_at - clock_timestamp(),
            published_at IS NOT NULL, claimed_by) AS details
    FROM executions WHERE completed_at IS NULL";

const IDLE_IN_TRANSACTION: &str = "
    SELECT format('%s (%s): %s', pid, application_name, query) AS what FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        AND state_change < clock_timestamp() - interval '1 second'";

const SESSIONS: &str = "
    SELECT format('%s (%s): %s', pid, application_name, query) AS what FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'gristmill%'";

impl Tormentor {
    /// Waits until every execution has ended; complains about each that does not move for too long. Answers with how long
    /// it took.
    pub(super) async fn drains(&self) -> Duration {
        let began = Instant::now();
        let mut standing = BTreeMap::<Sample, Instant>::new();
        let mut stuck = BTreeSet::new();
        loop {
            let now = Instant::now();
            let unfinished = self.world.database.ask(UNFINISHED, &[]).await.unwrap_or_default();
            let ended = unfinished.is_empty() && self.world.database.unfinished().await == Some(0);
            let waited = began.elapsed();
            if ended || waited > PAUSES {
                for row in unfinished {
                    self.complain(
                        Invariant::Ends,
                        format!("{} never ended", row.get::<_, &str>("id")),
                    );
                }
                return waited;
            }
            let earlier = std::mem::take(&mut standing);
            for row in unfinished {
                let sample = Sample::from(&row);
                let since = earlier
                    .get(&sample)
                    .copied()
                    .filter(|_| !row.get::<_, bool>("waits"));
                let since = since.unwrap_or(now);
                if now - since > RECOVERS_WITHIN && stuck.insert(sample.id.clone()) {
                    let details: &str = row.get("details");
                    let what = format!("{sample:?} has not moved for {:?}: {details}", now - since);
                    self.complain(Invariant::Recovers, what);
                }
                standing.insert(sample, since);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Checks that no queue keeps anything and no session is left, first with all processes at rest and then with all of
    /// them gone.
    pub(super) async fn leaves_nothing(self: &Arc<Self>) {
        self.queues_are_empty("with all executions ended").await;
        self.becomes_empty(IDLE_IN_TRANSACTION, "is idle in a transaction")
            .await;
        for (member, name) in MEMBERS.iter().enumerate() {
            self.report.say(&format!("stopping {name}"));
            let mut slot = self.fleet.process(member).await;
            if let Some(process) = slot.as_mut() {
                self.stop(member, process).await;
            }
            *slot = None;
        }
        // What was delivered and never acknowledged is back now.
        self.queues_are_empty("with all processes gone").await;
        self.becomes_empty(SESSIONS, "outlives its process").await;
    }

    async fn queues_are_empty(&self, when: &str) {
        let queues = &self.world.queues;
        for queue in LANES
            .map(|lane| queues.lane(lane))
            .into_iter()
            .chain([queues.dead()])
        {
            let deadline = Instant::now() + EMPTIES_WITHIN;
            loop {
                let depth = queues.depth(&queue).await;
                if depth == Some(0) {
                    break;
                }
                if Instant::now() > deadline {
                    self.complain(
                        Invariant::Drains,
                        format!("{queue} holds {depth:?} messages {when}"),
                    );
                    break;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        let poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for body in queues.take_all(&queues.parked()).await.unwrap_or_default() {
            if !poison.contains(&body) {
                let body = String::from_utf8_lossy(&body).into_owned();
                self.complain(Invariant::Drains, format!("{body} was parked and is no poison"));
            }
        }
    }

    async fn becomes_empty(&self, sql: &str, is: &str) {
        let deadline = Instant::now() + EMPTIES_WITHIN;
        loop {
            let found = self.list(sql).await;
            if found.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                for session in found {
                    self.complain(Invariant::Leaks, format!("the session {session} {is}"));
                }
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn list(&self, sql: &str) -> Vec<String> {
        match self.world.database.ask(sql, &[]).await {
            Some(rows) => rows.iter().map(|row| row.get("what")).collect(),
            None => vec!["the database, which does not answer,".to_owned()],
        }
    }

    fn complain(&self, invariant: Invariant, what: String) {
        self.report.violation(Violation::new(invariant, what));
    }
}
