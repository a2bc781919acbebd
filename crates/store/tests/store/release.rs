use gristmill_core::ExecutionStatus;
use gristmill_store::{Held, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{World, append};

pub(crate) async fn a_released_execution_is_claimable_at_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    assert_eq!(
        world
            .protocol()
            .release(System, &[append(&id, 1, "[1]")])
            .await
            .unwrap(),
        [Held::Yes]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&id).await, 0.0));
    assert!(!world.is_published(&id).await);
    let claimed = world.claim(&[(id.clone(), 1)]).await.remove(0);
    assert_eq!((claimed.attempt, claimed.journal_len), (2, 1));
    assert_eq!(world.bodies(&id).await, ["[1]"]);
}

pub(crate) async fn a_worker_that_lost_its_lease_releases_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, ended) = (world.taken_over().await, world.completed().await);
    let members = [append(&id, 1, "[1]"), append(&ended, 1, "[1]")];
    assert_eq!(
        world.protocol().release(System, &members).await.unwrap(),
        [Held::No, Held::No]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 2));
    assert!(raw::about(world.wakes_in(&id).await, 15.0));
    assert!(world.bodies(&id).await.is_empty());
    assert_eq!(world.stands(&ended).await, (ExecutionStatus::Completed, 1));
}
