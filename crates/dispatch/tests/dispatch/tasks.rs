//! Tasks: the list of all tasks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use gristmill_dispatch::{PruneOptions, Publisher, RelayOptions, Upkeep, Wakeups, tasks};
use gristmill_queue::{InProcess, InProcessOptions};
use gristmill_store::{Keep, Retention};
use gristmill_testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

pub(crate) async fn every_task_has_a_name_of_its_own(db: TestDatabase) {
    let broker = Arc::new(InProcess::new(InProcessOptions::new(vec!["default".into()])));
    let stop = CancellationToken::new();
    let tasks = tasks(Upkeep {
        store: db.store().clone(),
        broker: broker.clone(),
        publisher: Publisher::start(broker, db.store().protocol(), stop.clone()),
        wakeups: Wakeups::default(),
        relay: RelayOptions {
            interval: Duration::from_secs(1),
            limit: 500,
            publish_within: Duration::from_secs(30),
            lease: Duration::from_secs(15),
        },
        retention: PruneOptions {
            retention: Retention {
                completed: Keep::Forever,
                failed: Keep::Forever,
                cancelled: Keep::Forever,
            },
            interval: Duration::from_secs(60),
            batch: 500,
        },
    });
    let names: HashSet<_> = tasks.iter().map(|task| task.name()).collect();
    assert_eq!(names.len(), tasks.len(), "{names:?}");
    stop.cancel();
}
