//! Connections: what becomes of PostgreSQL's connections when something goes wrong.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use gristmill_core::ExecutionId;
use gristmill_store::{Actor, Error, ExecutionFilter, Options, Store, Sweep, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw::{self, wait_for};
use crate::workflows::change;
use crate::world::{LEASE, World, append, claim, completion, said};

const WAITING: &str = "SELECT count(*)::text AS value FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
const IN_TRANSACTION: &str = "SELECT count(*)::text AS value FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'";

/// A session that keeps everybody else away from a table.
async fn lock_table(db: &TestDatabase, table: &str) -> AsyncPgConnection {
    let mut session = AsyncPgConnection::establish(db.url()).await.unwrap();
    session
        .batch_execute(&format!("BEGIN; LOCK TABLE {table}"))
        .await
        .unwrap();
    session
}

fn small(db: &TestDatabase) -> Options {
    Options {
        pool_size: 1,
        acquire_timeout: Duration::from_millis(300),
        ..Options::new(db.url())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_no_transaction_open() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let mut lock = lock_table(&db, "workflow_revisions").await;
    let (store, tenant, id) = (db.store().clone(), world.tenant.clone(), world.workflow.clone());
    let caller = tokio::spawn(async move {
        store
            .change_workflow(&tenant, &Actor::OPERATOR, &id, 1, change("Grind", "[]"))
            .await
    });
    wait_for(&db, WAITING, "1").await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    lock.batch_execute("COMMIT").await.unwrap();
    wait_for(&db, IN_TRANSACTION, "0").await;
    // It was carried to its end.
    wait_for(&db, "SELECT max(revision)::text AS value FROM workflows", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_renewed_while_every_other_connection_is_taken() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let held = [(world.running().await, 1)];
    let store = Store::open(small(&db)).unwrap();
    let mut lock = lock_table(&db, "workflows").await;
    let (busy, tenant, id) = (store.clone(), world.tenant.clone(), world.workflow.clone());
    let blocked = tokio::spawn(async move { busy.workflow(&tenant, &id).await });
    wait_for(&db, WAITING, "1").await;

    let exhausted = store.ping().await.unwrap_err();
    assert!(matches!(exhausted, Error::Connect(_)), "{exhausted:?}");
    let renewed = store
        .renewals()
        .renew(System, &held, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(renewed, [held[0].0.clone()]);
    lock.batch_execute("COMMIT").await.unwrap();
    assert!(blocked.await.unwrap().unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_stays_is_a_passing_failure() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let store = Store::open(Options {
        lock_timeout: Duration::from_millis(100),
        ..small(&db)
    })
    .unwrap();
    let lock = lock_table(&db, "workflows").await;
    let refused = store.workflow(&world.tenant, &world.workflow).await.unwrap_err();
    assert!(matches!(refused, Error::Busy(_)), "{refused:?}");
    drop(lock);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_a_passing_failure() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let store = Store::open(Options {
        statement_timeout: Duration::from_millis(100),
        ..small(&db)
    })
    .unwrap();
    let lock = lock_table(&db, "workflows").await;
    let refused = store.workflow(&world.tenant, &world.workflow).await.unwrap_err();
    assert!(matches!(refused, Error::Busy(_)), "{refused:?}");
    drop(lock);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_connection_is_lost_and_the_next_one_is_fresh() {
    let db = TestDatabase::postgres().await;
    let store = Store::open(small(&db)).unwrap();
    let lock = lock_table(&db, "executions").await;
    let caller = store.protocol();
    let waiting = tokio::spawn(async move { caller.watch(System, &[ExecutionId::new()]).await });
    wait_for(&db, WAITING, "1").await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    raw::execute(&db, kill).await;
    let lost = waiting.await.unwrap().unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost:?}");
    drop(lock);
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_a_connect_error_with_its_reason() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let store = Store::open(Options::new(format!(
        "postgres://nobody:secret@127.0.0.1:{port}/none"
    )))
    .unwrap();
    let Error::Connect(reason) = store.ping().await.unwrap_err() else {
        panic!("not a connect error")
    };
    assert!(reason.to_string().contains("refused"), "{reason}");
    assert!(!reason.to_string().contains("secret"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_shows_whose_connection_it_is() {
    let db = TestDatabase::postgres().await;
    let store = Store::open(Options {
        application_name: "worker-7".to_owned(),
        ..small(&db)
    })
    .unwrap();
    store.ping().await.unwrap();
    let name = "SELECT count(*)::text AS value FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'worker-7'";
    // One for each of the services' roles.
    wait_for(&db, name, "2").await;
}

#[test]
fn a_url_of_neither_database_is_refused() {
    for url in ["mysql://localhost/x", "", "gristmill.db"] {
        assert!(
            matches!(Store::open(Options::new(url)), Err(Error::Options(_))),
            "{url}"
        );
    }
}

/// PostgreSQL plans a statement for the tables as they are when it is prepared, and on small ones a scan is cheapest: with
/// that plan kept, each claim reads every execution there is, a million of them later on.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_prepared_while_the_tables_are_small_does_not_scan_them() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let store = Store::open(Options::new(db.url())).unwrap();
    let protocol = store.protocol();
    for _ in 0..8 {
        let id = world.pending().await;
        let ids = std::slice::from_ref(&id);
        let mine = claim(LEASE);
        protocol.confirm(System, &[(id.clone(), 0)]).await.unwrap();
        protocol.claim(System, &[(id.clone(), 0)], &mine).await.unwrap();
        protocol.renew(System, &[(id.clone(), 1)], LEASE).await.unwrap();
        protocol.append(System, &[append(&id, 1, "[1]")]).await.unwrap();
        protocol.watch(System, ids).await.unwrap();
        protocol.settle(System, &[completion(&id, 1)]).await.unwrap();
        assert_eq!(protocol.ended(System, ids).await.unwrap().len(), 1);
        protocol
            .relay(System, Sweep::all(10, true), &|_| Wake::Leave)
            .await
            .unwrap();
    }
    // As many as go through the queue, or wait for the end of theirs, at once.
    for _ in 0..8 {
        let mut jobs = Vec::new();
        for _ in 0..40 {
            jobs.push((world.pending().await, 0));
        }
        let ids: Vec<_> = jobs.iter().map(|(id, _)| id.clone()).collect();
        let held: Vec<_> = ids.iter().map(|id| (id.clone(), 1)).collect();
        let appended: Vec<_> = ids.iter().map(|id| append(id, 1, "[1]")).collect();
        let completed: Vec<_> = ids.iter().map(|id| completion(id, 1)).collect();
        protocol.confirm(System, &jobs).await.unwrap();
        assert_eq!(
            said(&protocol.claim(System, &jobs, &claim(LEASE)).await.unwrap()),
            ["claimed"; 40]
        );
        protocol.renew(System, &held, LEASE).await.unwrap();
        protocol.append(System, &appended).await.unwrap();
        protocol.watch(System, &ids).await.unwrap();
        protocol.settle(System, &completed).await.unwrap();
        assert_eq!(protocol.ended(System, &ids).await.unwrap().len(), 40);
    }
    let many: Vec<_> = (0..2_000).map(|_| ExecutionId::new()).collect();
    let jobs: Vec<_> = many.iter().map(|id| (id.clone(), 0)).collect();
    for _ in 0..10 {
        assert_eq!(protocol.ended(System, &many).await.unwrap(), []);
        protocol.confirm(System, &jobs).await.unwrap();
    }
    // A session tells the statistics what it did at its end at the latest.
    drop(protocol);
    drop(store);
    let scans = |kind: &str| {
        format!(
            "SELECT ({kind} > 0)::text AS value FROM pg_stat_user_tables
             WHERE schemaname = 'public' AND relname = 'executions'"
        )
    };
    wait_for(&db, &scans("idx_scan"), "true").await;
    assert_eq!(
        raw::texts(&db, &scans("seq_scan")).await,
        [Some("false".to_owned())]
    );
    // Nor an index from its beginning to its end, as those of lists and of retention could be.
    let read = "SELECT indexrelname::text AS value FROM pg_stat_user_indexes
        WHERE relname = 'executions' AND idx_scan > 0 AND indexrelname NOT IN ('executions_pkey',
            'executions_wake_at_idx')";
    assert_eq!(raw::texts(&db, read).await, []);
}

/// A look into a table without an index costs more than everything in the planner's eyes; compiled, it took 60 ms each.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_is_compiled_whatever_it_seems_to_cost() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let separator = if db.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-c%20jit_above_cost%3D0", db.url());
    let store = Store::open(Options::new(url)).unwrap();
    let plan = store
        .explain_list_executions(&world.tenant, &ExecutionFilter::default(), None, 10)
        .await
        .unwrap();
    assert!(plan.contains("Execution Time") && !plan.contains("JIT"), "{plan}");
}
