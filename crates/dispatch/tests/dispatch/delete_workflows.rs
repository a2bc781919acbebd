//! Deleting workflows: what is unfinished.

use gristmill_core::ExecutionStatus;
use gristmill_dispatch::{Next, RelayWakeup, WorkflowDeletion};
use gristmill_store::WorkflowSwitch;
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{World, run};

pub(crate) async fn what_a_deleted_workflow_left_unfinished_is_cancelled(db: TestDatabase) {
    let world = World::on(db).await;
    let other = world.add_workflow().await;
    let left = [
        world.submit(&world.workflow).await,
        world.submit(&world.workflow).await,
    ];
    let kept = world.submit(&other).await;
    world.switch(&world.workflow, WorkflowSwitch::Delete).await;
    let mut task = WorkflowDeletion::new(world.store().clone(), RelayWakeup::default());
    // What it did was not a look: the next run is.
    assert!(matches!(run(&mut task).await.unwrap(), Next::Again(_)));
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    for id in &left {
        assert_eq!(world.status(id).await, Some(ExecutionStatus::Cancelled));
    }
    assert_eq!(world.status(&kept).await, Some(ExecutionStatus::Pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_does_not_keep_others_from_their_turn() {
    let world = World::on(TestDatabase::postgres().await).await;
    let workflows = [
        world.workflow.clone(),
        world.add_workflow().await,
        world.add_workflow().await,
    ];
    let mut executions = Vec::new();
    for workflow in &workflows {
        executions.push(world.submit(workflow).await);
        world.switch(workflow, WorkflowSwitch::Delete).await;
    }
    // What is the oldest deletion's cannot be changed.
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON executions FOR EACH ROW WHEN (OLD.workflow_id = '{}')
             EXECUTE FUNCTION refuse();",
        workflows[0]
    );
    raw::execute(&world.db, &refuse).await;
    let mut task = WorkflowDeletion::new(world.store().clone(), RelayWakeup::default());
    run(&mut task).await.unwrap();
    let mut statuses = Vec::new();
    for id in &executions {
        statuses.push(world.status(id).await.unwrap().as_str());
    }
    assert_eq!(statuses, ["PENDING", "CANCELLED", "CANCELLED"]);
}
