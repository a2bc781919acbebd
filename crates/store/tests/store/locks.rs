//! What only PostgreSQL's side has: rows that another session has locked.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Actor, ChildStarted, Due, Replay, Replayed, Submit, Submitted, Sweep, System, Wake};
use gristmill_testkit::TestDatabase;
use tokio::time::timeout;

use crate::raw;
use crate::world::{LATER, LEASE, World, claim, said};

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
    let round = timeout(
        PATIENCE,
        world.protocol().relay(System, Sweep::all(100, true), &decide),
    )
    .await;
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

/// And the row shows that its job is still good, once the lock is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_skips_what_another_session_has_locked() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (locked, free) = (world.pending().await, world.pending().await);
    let lock = Lock::on(&db, &locked).await;
    let jobs = [(locked.clone(), 0), (free.clone(), 0)];
    let mine = claim(LEASE);
    let answers = timeout(PATIENCE, world.claim_by(&mine, &jobs)).await;
    assert_eq!(
        said(&answers.expect("the claim waited for a lock")),
        ["locked", "claimed"]
    );
    assert_eq!(world.stands(&locked).await, (ExecutionStatus::Pending, 0));
    // Sent again, it is told the same, and also of what it holds and somebody has locked since.
    let other = Lock::on(&db, &free).await;
    assert_eq!(said(&world.claim_by(&mine, &jobs).await), ["locked", "locked"]);
    other.release().await;
    lock.release().await;
    assert_eq!(said(&world.claim_by(&mine, &jobs).await), ["claimed", "claimed"]);
}

/// Whose lock it is does not matter: an old job is old, and one that is being taken is good until it has been.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_tells_what_is_locked_from_what_is_stale() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (running, ended) = (world.running().await, world.completed().await);
    let (ahead, taken) = (world.pending().await, world.pending().await);
    let locks = [
        Lock::on(&db, &running).await,
        Lock::on(&db, &ended).await,
        Lock::on(&db, &ahead).await,
    ];
    let mut other = AsyncPgConnection::establish(db.url()).await.unwrap();
    let take = format!(
        "BEGIN; UPDATE executions SET status = 'RUNNING', attempt = 1, claim_token = gen_random_uuid(),
            claimed_by = 'another', started_at = clock_timestamp() WHERE id = '{taken}'"
    );
    other.batch_execute(&take).await.unwrap();
    let jobs = [(running, 0), (ended, 0), (ahead, 1), (taken, 0)];
    let mine = claim(LEASE);
    let answers = timeout(PATIENCE, world.claim_by(&mine, &jobs)).await;
    assert_eq!(
        said(&answers.expect("the claim waited for a lock")),
        ["stale", "stale", "stale", "locked"]
    );
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(said(&world.claim_by(&mine, &jobs).await), ["stale"; 4]);
    for lock in locks {
        lock.release().await;
    }
}

/// Another session is about to take the last place: whoever wants it, too, waits for what becomes of that, and goes by what
/// is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waited_for_the_months_lock_sees_what_was_used_meanwhile() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (parent, original) = (world.running().await, world.completed().await);
    let usage = db.store().usage(&world.tenant).await.unwrap();
    let (tenant, month) = (&world.tenant.0, usage.month);
    let slot = format!("organization_id = '{tenant}' AND month = '{month}' AND slot = 0");
    raw::execute(
        &db,
        &format!(
            "UPDATE organizations SET tier = 'GROWTH' WHERE id = '{tenant}';
             INSERT INTO usage_counters (organization_id, month, slot, executions)
             VALUES ('{tenant}', '{month}', 0, {})",
            999 - usage.executions
        ),
    )
    .await;
    let take = format!("BEGIN; UPDATE usage_counters SET executions = executions + 1 WHERE {slot}");
    let mut other = AsyncPgConnection::establish(db.url()).await.unwrap();
    other.batch_execute(&take).await.unwrap();

    let submit = [Submit {
        monthly_limit: Some(1_000),
        ..world.request()
    }];
    let child = world.child_request(&parent, "sub");
    let replay = Replay {
        id: ExecutionId::new(),
        original,
        newest: None,
        idempotency_key: None,
        request_hash: "replay".to_owned(),
        monthly_limit: Some(1_000),
    };
    let commit = async {
        let waiting = "SELECT pid::text AS value FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while raw::texts(&db, waiting).await.len() < 3 {
            tokio::task::yield_now().await;
        }
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (submitted, started, replayed, ()) = tokio::join!(
        world.submit(&submit),
        world.start_child(&child),
        world.protocol().replay(&world.tenant, &Actor::OPERATOR, &replay),
        commit
    );
    assert!(
        matches!(submitted[..], [Submitted::LimitReached(_)]),
        "{submitted:?}"
    );
    assert!(matches!(started, ChildStarted::LimitReached(_)), "{started:?}");
    assert!(matches!(replayed, Ok(Replayed::LimitReached(_))), "{replayed:?}");
    let usage = db.store().usage(&world.tenant).await.unwrap();
    assert_eq!(usage.executions, 1_000);
}

/// A session that holds a row locked.
struct Lock(AsyncPgConnection);

impl Lock {
    async fn on(db: &TestDatabase, id: &ExecutionId) -> Self {
        let mut connection = AsyncPgConnection::establish(db.url()).await.unwrap();
        let lock = format!("BEGIN; UPDATE executions SET lane = lane WHERE id = '{id}'");
        connection.batch_execute(&lock).await.unwrap();
        Self(connection)
    }

    async fn release(mut self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }
}
