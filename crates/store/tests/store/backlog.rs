use std::time::Duration;

use gristmill_store::{Backlog, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

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
    let past = match raw::sqlite_path(db) {
        Some(_) => "created_at - 90000000",
        None => "created_at - interval '90 seconds'",
    };
    raw::execute(
        db,
        &format!("UPDATE executions SET created_at = {past} WHERE id = '{id}'"),
    )
    .await;
    raw::make_due(db, &id, 60).await;
    let backlog = world.protocol().backlog(System).await.unwrap();
    assert!(
        raw::about(Some(backlog.oldest_pending.as_secs_f64()), 90.0),
        "{backlog:?}"
    );
    assert!(
        raw::about(Some(backlog.relay_lag.as_secs_f64()), 60.0),
        "{backlog:?}"
    );
    assert!(backlog.relay_lag > Duration::ZERO);
}
