//! What only PostgreSQL's side has: rows that another session has locked.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Due, System, Wake};
use gristmill_testkit::TestDatabase;
use tokio::time::timeout;

use crate::raw;
use crate::world::{LATER, LEASE, World};

/// Longer than a statement that waits for nobody, shorter than the store's own lock timeout.
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_skips_what_another_session_has_locked() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let ids = world.pending_group(2).await;
    for id in &ids {
        raw::make_due(&db, id, 60).await;
    }
    let lock = Lock::on(&db, &ids[0]).await;
    let decide = |_: &Due| Wake::Publish { again_in: LATER };
    let round = timeout(PATIENCE, world.protocol().relay(System, 100, true, &decide)).await;
    let acted = round.expect("the relay waited for a lock").unwrap();
    assert_eq!(acted.len(), 1);
    assert_eq!(acted[0].0.job.execution_id, ids[1]);
    lock.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewals_skip_what_another_session_has_locked() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (locked, free) = (world.running().await, world.running().await);
    let lock = Lock::on(&db, &locked).await;
    let holdings = [(locked, 1), (free.clone(), 1)];
    let renewed = timeout(PATIENCE, world.protocol().renew(System, &holdings, LEASE)).await;
    assert_eq!(renewed.expect("the renewal waited for a lock").unwrap(), [free]);
    lock.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirms_skip_what_another_session_has_locked() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let ids = world.pending_group(2).await;
    let lock = Lock::on(&db, &ids[0]).await;
    let jobs = [(ids[0].clone(), 0), (ids[1].clone(), 0)];
    let confirmed = timeout(PATIENCE, world.protocol().confirm(System, &jobs)).await;
    confirmed.expect("the confirm waited for a lock").unwrap();
    assert!(world.is_published(&ids[1]).await);
    assert!(!world.is_published(&ids[0]).await);
    lock.release().await;
}

/// A job is gone once it is acked: a claim that skipped the row would leave the execution to the relay for minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_waits_for_the_lock_and_then_looks_again() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (left, taken) = (world.pending().await, world.pending().await);
    let mut lock = Lock::on(&db, &left).await;
    lock.add(&taken, "attempt = attempt + 1").await;
    let jobs = [(left.clone(), 0), (taken.clone(), 0)];
    let (claimed, ()) = tokio::join!(world.claim(&jobs), async {
        lock.wait_until_awaited().await;
        lock.release().await;
    });
    assert_eq!(
        claimed.into_iter().map(|claimed| claimed.id).collect::<Vec<_>>(),
        [left]
    );
    assert_eq!(world.stands(&taken).await, (ExecutionStatus::Pending, 1));
}

/// A session that holds row locks.
struct Lock<'a> {
    db: &'a TestDatabase,
    connection: AsyncPgConnection,
}

impl<'a> Lock<'a> {
    async fn on(db: &'a TestDatabase, id: &ExecutionId) -> Self {
        let mut connection = AsyncPgConnection::establish(db.url()).await.unwrap();
        connection.batch_execute("BEGIN").await.unwrap();
        let mut lock = Self { db, connection };
        lock.add(id, "lane = lane").await;
        lock
    }

    async fn add(&mut self, id: &ExecutionId, change: &str) {
        let sql = format!("UPDATE executions SET {change} WHERE id = '{id}'");
        self.connection.batch_execute(&sql).await.unwrap();
    }

    /// Until another session waits for one of the locks.
    async fn wait_until_awaited(&self) {
        let sql = "SELECT count(*)::text AS value FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while raw::texts(self.db, sql).await != [Some("1".to_owned())] {
            tokio::task::yield_now().await;
        }
    }

    async fn release(mut self) {
        self.connection.batch_execute("COMMIT").await.unwrap();
    }
}
