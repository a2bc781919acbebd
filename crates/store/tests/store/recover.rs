use chrono::TimeDelta;
use gristmill_core::ExecutionStatus;
use gristmill_store::{Suspend, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{World, suspension};

pub(crate) async fn a_new_start_makes_due_what_ran_and_then_what_waited_in_the_queue(db: &TestDatabase) {
    let world = World::new(db).await;
    let (running, waiting, completed) = (
        world.running().await,
        world.running().await,
        world.completed().await,
    );
    let timer = db.store().now().await.unwrap() + TimeDelta::seconds(90);
    let asleep = Suspend {
        wake_at: Some(timer),
        ..suspension(&waiting, 1)
    };
    world.protocol().suspend(System, &[asleep]).await.unwrap();
    let queued = world.pending().await;
    world
        .protocol()
        .confirm(System, &[(queued.clone(), 0)])
        .await
        .unwrap();

    assert_eq!(world.protocol().recover(System).await.unwrap(), 2);
    assert_eq!(world.stands(&queued).await, (ExecutionStatus::Pending, 0));
    assert!(!world.is_published(&queued).await);
    assert!(raw::about(world.wakes_in(&queued).await, 0.0));
    // Whether that was a loss too many is the relay's to say, and it looks at this one first.
    assert_eq!(world.stands(&running).await, (ExecutionStatus::Running, 1));
    assert_eq!(
        world.column(&running, "wake_at").await,
        world.column(&running, "started_at").await
    );
    assert!(raw::about(world.wakes_in(&running).await, 0.0));
    assert_eq!(world.stands(&waiting).await, (ExecutionStatus::Waiting, 1));
    assert!(raw::about(world.wakes_in(&waiting).await, 90.0));
    assert_eq!(world.stands(&completed).await, (ExecutionStatus::Completed, 1));
}
