//! Stats: noted ends become figures.

use gristmill_dispatch::{Next, StatsAggregator};
use gristmill_store::System;
use gristmill_testkit::TestDatabase;

use crate::world::{World, run};

pub(crate) async fn ends_are_counted_once(db: TestDatabase) {
    let world = World::on(db).await;
    world.ended(3).await;
    let mut task = StatsAggregator::new(world.protocol());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(world.protocol().count_ends(System, 10).await.unwrap(), 0);
}
