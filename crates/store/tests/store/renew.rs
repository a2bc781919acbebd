use std::time::Duration;

use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::System;
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

pub(crate) async fn a_renewed_lease_lasts_longer(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let renewed = renew(&world, &[(id.clone(), 1)]).await;
    assert_eq!(renewed, std::slice::from_ref(&id));
    assert!(raw::about(world.wakes_in(&id).await, 600.0));
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 1));
}

pub(crate) async fn a_lost_lease_is_not_renewed(db: &TestDatabase) {
    let world = World::new(db).await;
    let (held, taken_over, reaped) = (
        world.running().await,
        world.taken_over().await,
        world.running().await,
    );
    world.reap(&reaped).await;
    let (waiting, completed) = (world.waiting().await, world.completed().await);
    let ids = [
        &held,
        &taken_over,
        &reaped,
        &waiting,
        &completed,
        &ExecutionId::new(),
    ];
    let holdings = ids.map(|id| (id.clone(), 1));
    assert_eq!(renew(&world, &holdings).await, [held]);
    assert!(raw::about(world.wakes_in(&taken_over).await, 15.0));
    assert!(raw::about(world.wakes_in(&reaped).await, 30.0));
    assert_eq!(world.wakes_in(&waiting).await, None);
    assert_eq!(world.wakes_in(&completed).await, None);
}

async fn renew(world: &World<'_>, holdings: &[(ExecutionId, i32)]) -> Vec<ExecutionId> {
    let lease = Duration::from_secs(600);
    world
        .db
        .store()
        .renewals()
        .renew(System, holdings, lease)
        .await
        .unwrap()
}
