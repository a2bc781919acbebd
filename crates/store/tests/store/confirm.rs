use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Append, Held, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, World};

pub(crate) async fn a_confirmed_job_is_due_again_after_five_minutes_then_fifteen_then_forty_five(
    db: &TestDatabase,
) {
    let world = World::new(db).await;
    let id = world.pending().await;
    for minutes in [5.0, 15.0, 45.0] {
        world
            .protocol()
            .confirm(System, &[(id.clone(), 0)])
            .await
            .unwrap();
        assert!(
            raw::about(world.wakes_in(&id).await, minutes * 60.0),
            "after {minutes} minutes"
        );
        assert!(world.is_published(&id).await);
    }
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 0));
}

pub(crate) async fn a_confirm_that_comes_after_the_claim_leaves_the_lease_alone(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world
        .protocol()
        .confirm(System, &[(id.clone(), 0), (id.clone(), 1)])
        .await
        .unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 15.0));
    assert!(!world.is_published(&id).await);
}

pub(crate) async fn a_confirm_of_an_older_attempt_is_ignored(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = released(&world).await;
    world
        .protocol()
        .confirm(System, &[(id.clone(), 0)])
        .await
        .unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 30.0));
    assert!(!world.is_published(&id).await);
}

/// The job was handed back, or its queue was lost, between the broker's confirm and the note of it.
pub(crate) async fn a_confirm_of_what_is_due_again_is_ignored(db: &TestDatabase) {
    let world = World::new(db).await;
    let job = [(world.pending().await, 0)];
    world.protocol().return_jobs(System, &job).await.unwrap();
    world.protocol().confirm(System, &job).await.unwrap();
    assert!(raw::about(world.wakes_in(&job[0].0).await, 0.0));
    assert!(!world.is_published(&job[0].0).await);
}

pub(crate) async fn each_pending_counts_its_own_confirms(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    for _ in 0..2 {
        world
            .protocol()
            .confirm(System, &[(id.clone(), 0)])
            .await
            .unwrap();
    }
    world.claim(&[(id.clone(), 0)]).await;
    release(&world, &id).await;
    assert!(!world.is_published(&id).await);
    world
        .protocol()
        .confirm(System, &[(id.clone(), 1)])
        .await
        .unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 300.0));
}

/// PENDING at attempt 1, and published by the relay.
async fn released(world: &World<'_>) -> ExecutionId {
    let id = world.running().await;
    release(world, &id).await;
    id
}

async fn release(world: &World<'_>, id: &ExecutionId) {
    let release = Append {
        id: id.clone(),
        attempt: 1,
        journal_len: 0,
        chunk: None,
    };
    assert_eq!(
        world.protocol().release(System, &[release]).await.unwrap(),
        [Held::Yes]
    );
    world
        .relay_one(id, Wake::Publish { again_in: LATER })
        .await
        .unwrap();
}
