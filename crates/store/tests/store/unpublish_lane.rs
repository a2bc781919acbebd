use gristmill_core::ExecutionStatus;
use gristmill_store::{Submit, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

pub(crate) async fn a_missing_queue_makes_its_lane_due(db: &TestDatabase) {
    let world = World::new(db).await;
    let bulk = world.add_workflow("bulk").await;
    let lost = Submit {
        workflow_id: bulk,
        ..world.request()
    };
    world.submit(std::slice::from_ref(&lost)).await;
    let elsewhere = world.pending().await;
    let running = Submit {
        id: gristmill_core::ExecutionId::new(),
        ..lost.clone()
    };
    world.submit(std::slice::from_ref(&running)).await;
    world.claim(&[(running.id.clone(), 0)]).await;
    let jobs = [(lost.id.clone(), 0), (elsewhere.clone(), 0)];
    world.protocol().confirm(System, &jobs).await.unwrap();

    assert_eq!(world.protocol().unpublish_lane(System, "bulk").await.unwrap(), 1);
    assert!(!world.is_published(&lost.id).await);
    assert!(raw::about(world.wakes_in(&lost.id).await, 0.0));
    assert!(world.is_published(&elsewhere).await);
    assert!(raw::about(world.wakes_in(&elsewhere).await, 300.0));
    assert_eq!(world.stands(&running.id).await, (ExecutionStatus::Running, 1));
    assert!(raw::about(world.wakes_in(&running.id).await, 15.0));
}
