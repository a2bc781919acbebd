use gristmill_core::ExecutionStatus;
use gristmill_store::System;
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

pub(crate) async fn a_job_handed_back_is_unpublished_and_due(db: &TestDatabase) {
    let world = World::new(db).await;
    let job = [(world.pending().await, 0)];
    world.protocol().confirm(System, &job).await.unwrap();
    world.protocol().return_jobs(System, &job).await.unwrap();
    assert_eq!(world.stands(&job[0].0).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&job[0].0).await, 0.0));
    assert!(!world.is_published(&job[0].0).await);
}

pub(crate) async fn a_job_handed_back_after_another_claimed_it_changes_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let (running, completed, waiting) = (
        world.running().await,
        world.completed().await,
        world.waiting().await,
    );
    let reaped = world.running().await;
    world.reap(&reaped).await;
    let ids = [&running, &completed, &waiting, &reaped];
    let jobs: Vec<_> = ids
        .into_iter()
        .flat_map(|id| [(id.clone(), 0), (id.clone(), 1)])
        .take(7)
        .collect();
    world.protocol().return_jobs(System, &jobs).await.unwrap();
    assert_eq!(world.stands(&running).await, (ExecutionStatus::Running, 1));
    assert!(raw::about(world.wakes_in(&running).await, 15.0));
    assert_eq!(world.stands(&completed).await, (ExecutionStatus::Completed, 1));
    assert_eq!(world.wakes_in(&waiting).await, None);
    // PENDING again, but at another attempt than the job's: whoever publishes it now has the say.
    assert!(raw::about(world.wakes_in(&reaped).await, 30.0));
}
