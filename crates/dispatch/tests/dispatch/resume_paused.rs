//! Pause resume: what waited for its workflow is started.

use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_dispatch::{Next, PauseResume, RelayWakeup, Task, Wakeup};
use gristmill_store::WorkflowSwitch;
use gristmill_testkit::TestDatabase;
use tokio::time::timeout;

use crate::world::{World, run};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn what_waited_is_started_once_its_workflow_is_resumed(db: TestDatabase) {
    let world = World::on(db).await;
    let other = world.add_workflow().await;
    for workflow in [&world.workflow, &other] {
        world.switch(workflow, WorkflowSwitch::Pause).await;
    }
    let (waiting, kept) = (world.submit(&world.workflow).await, world.submit(&other).await);
    let relay = RelayWakeup::default();
    let mut task = PauseResume::new(world.protocol(), Wakeup::default(), relay.clone());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(world.status(&waiting).await, Some(ExecutionStatus::Waiting));

    world.switch(&world.workflow, WorkflowSwitch::Resume).await;
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(world.status(&waiting).await, Some(ExecutionStatus::Pending));
    assert_eq!(world.status(&kept).await, Some(ExecutionStatus::Waiting));
    timeout(PATIENCE, relay.woken()).await.unwrap();
}

pub(crate) async fn whoever_resumes_wakes_the_task(db: TestDatabase) {
    let wakeup = Wakeup::default();
    let mut task = PauseResume::new(db.store().protocol(), wakeup.clone(), RelayWakeup::default());
    wakeup.wake();
    timeout(PATIENCE, task.woken()).await.unwrap();
}
