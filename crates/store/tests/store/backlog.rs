use std::time::Duration;

use gristmill_core::ExecutionId;
use gristmill_store::{Backlog, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, World, append};

pub(crate) async fn the_backlog_is_measured_from_what_waits(db: &TestDatabase) {
    let world = World::new(db).await;
    assert_eq!(
        world.protocol().backlog(System).await.unwrap(),
        Backlog::default()
    );

    // Not due and not queued: neither is behind.
    world.running().await;
    world.waiting().await;
    world.completed().await;
    assert_eq!(
        world.protocol().backlog(System).await.unwrap(),
        Backlog::default()
    );

    let id = world.pending().await;
    change(db, &id, "created_at = created_at - $90").await;
    raw::make_due(db, &id, 60).await;
    let backlog = world.protocol().backlog(System).await.unwrap();
    assert!(
        raw::about(Some(backlog.oldest_pending.as_secs_f64()), 60.0),
        "{backlog:?}"
    );
    assert!(
        raw::about(Some(backlog.relay_lag.as_secs_f64()), 60.0),
        "{backlog:?}"
    );
    assert!(backlog.relay_lag > Duration::ZERO);
}

pub(crate) async fn the_queues_age_is_that_of_whoever_has_been_claimable_for_longest(db: &TestDatabase) {
    let (first, world, last) = (World::new(db).await, World::new(db).await, World::new(db).await);
    let age = async || {
        let backlog = world.protocol().backlog(System).await.unwrap();
        Some(backlog.oldest_pending.as_secs_f64())
    };
    // What waited for days for a signal, and came back a moment ago.
    let woken = world.running().await;
    world
        .protocol()
        .release(System, &[append(&woken, 1, "[1]")])
        .await
        .unwrap();
    change(db, &woken, "created_at = created_at - $500000").await;
    world.protocol().confirm(System, &[(woken, 1)]).await.unwrap();
    assert!(raw::about(age().await, 0.0));

    // However many run, in whichever organizations.
    for (world, count) in [(&first, 1_100), (&last, 20)] {
        let jobs: Vec<_> = world
            .pending_group(count)
            .await
            .into_iter()
            .map(|id| (id, 0))
            .collect();
        assert_eq!(world.claim(&jobs).await.len(), count);
    }
    let id = last.pending().await;
    world
        .protocol()
        .confirm(System, &[(id.clone(), 0)])
        .await
        .unwrap();
    change(db, &id, "published_at = published_at - $90").await;
    assert!(raw::about(age().await, 90.0));

    // Published again since, after five minutes and after fifteen more.
    for waited in [300.0, 1200.0] {
        raw::make_due(db, &id, 1).await;
        first
            .relay_one(&id, Wake::Publish { again_in: LATER })
            .await
            .unwrap();
        assert!(raw::about(age().await, waited));
        world
            .protocol()
            .confirm(System, &[(id.clone(), 0)])
            .await
            .unwrap();
        assert!(raw::about(age().await, waited));
    }
}

/// `$` and a number stand for so many seconds.
async fn change(db: &TestDatabase, id: &ExecutionId, change: &str) {
    let (column, seconds) = change.split_once('$').unwrap();
    let length = match raw::sqlite_path(db) {
        Some(_) => format!("{seconds}000000"),
        None => format!("interval '{seconds} seconds'"),
    };
    raw::execute(
        db,
        &format!("UPDATE executions SET {column}{length} WHERE id = '{id}'"),
    )
    .await;
}
