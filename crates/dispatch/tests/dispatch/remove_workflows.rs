//! Workflow removal: deleted workflows go with their last execution.

use gristmill_dispatch::{Next, WorkflowRemoval};
use gristmill_store::{System, WorkflowSwitch};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{World, run};

/// What the months would bring about.
const GONE: &str = "DELETE FROM executions; UPDATE workflows SET emptied_at = deleted_at";

pub(crate) async fn a_deleted_workflow_goes_with_its_last_execution(db: TestDatabase) {
    let world = World::on(db).await;
    let (deleted, kept) = (world.workflow.clone(), world.add_workflow().await);
    world.submit(&deleted).await;
    world.switch(&deleted, WorkflowSwitch::Delete).await;
    let mut task = WorkflowRemoval::new(world.store().clone());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);

    raw::execute(&world.db, GONE).await;
    let bare = async || world.store().bare_workflows(System, 10).await.unwrap();
    assert_eq!(bare().await, [deleted]);
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(bare().await, []);
    assert!(
        world
            .store()
            .workflow(&world.tenant, &kept)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_fails_does_not_keep_others_from_their_turn() {
    let world = World::on(TestDatabase::postgres().await).await;
    let workflows = [
        world.workflow.clone(),
        world.add_workflow().await,
        world.add_workflow().await,
    ];
    for workflow in &workflows {
        world.switch(workflow, WorkflowSwitch::Delete).await;
    }
    // What is the oldest deletion's cannot be removed.
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
         CREATE TRIGGER refuse BEFORE DELETE ON workflow_revisions FOR EACH ROW WHEN (OLD.workflow_id = '{}')
             EXECUTE FUNCTION refuse();",
        workflows[0]
    );
    raw::execute(&world.db, &refuse).await;
    raw::execute(&world.db, GONE).await;
    let mut task = WorkflowRemoval::new(world.store().clone());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    let bare = world.store().bare_workflows(System, 10).await.unwrap();
    assert_eq!(bare, workflows[..1]);
}
