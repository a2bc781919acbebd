//! Retention: what ended long ago is deleted.

use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_dispatch::{Next, PruneOptions, Pruner};
use gristmill_store::{Keep, Retention};
use gristmill_testkit::TestDatabase;

use crate::world::{World, run};

pub(crate) async fn what_was_kept_for_long_enough_is_deleted_batch_by_batch(db: TestDatabase) {
    let world = World::on(db).await;
    let ended = world.ended(3).await;
    let unfinished = world.submit(&world.workflow).await;
    let pruner = |cancelled| {
        let retention = Retention {
            completed: Keep::Forever,
            failed: Keep::Forever,
            cancelled,
        };
        let interval = Duration::from_secs(60);
        let options = PruneOptions {
            retention,
            interval,
            batch: 2,
        };
        Pruner::new(world.protocol(), options)
    };
    let mut later = pruner(Keep::For(Duration::from_secs(3_600)));
    assert_eq!(run(&mut later).await.unwrap(), Next::Later);
    assert_eq!(world.status(&ended[0]).await, Some(ExecutionStatus::Cancelled));

    let mut now = pruner(Keep::For(Duration::ZERO));
    assert!(matches!(run(&mut now).await.unwrap(), Next::Again(_)));
    assert_eq!(run(&mut now).await.unwrap(), Next::Later);
    for id in &ended {
        assert_eq!(world.status(id).await, None);
    }
    assert_eq!(world.status(&unfinished).await, Some(ExecutionStatus::Pending));
}
