use std::time::Duration;

use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{
    Actor, Cancelled, ChildStarted, Delivered, Replay, Replayed, Start, Submit, Submitted, Sweep, System,
    Wake, WorkflowChanged, WorkflowSwitch,
};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, MAX_MESSAGES, World, completion, failing, message};

pub(crate) async fn what_is_submitted_to_a_paused_workflow_waits_until_it_is_resumed(db: &TestDatabase) {
    let world = World::new(db).await;
    switch(&world, WorkflowSwitch::Pause).await;
    let (first, second) = (world.request(), world.request());
    let answers = world.submit(&[first.clone(), second.clone()]).await;
    for answer in &answers {
        assert!(
            matches!(answer, Submitted::Accepted(accepted) if accepted.paused && accepted.starts_at.is_none()),
            "{answer:?}"
        );
    }
    assert_waits_for_workflow(&world, &first.id).await;
    assert_eq!(resume_paused(&world).await, 0);
    assert!(world.claim(&[(first.id.clone(), 0)]).await.is_empty());
    // It is like any other that has not ended.
    assert_eq!(world.cancel(&second.id).await, Cancelled::Yes(1));
    assert_eq!(world.column(&second.id, "waits_for").await, None);

    switch(&world, WorkflowSwitch::Resume).await;
    assert_eq!((resume_paused(&world).await, resume_paused(&world).await), (1, 0));
    assert_eq!(world.stands(&first.id).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&first.id).await, 0.0));
    assert_eq!(world.claim(&[(first.id, 0)]).await.len(), 1);
    let answer = world.submit(&[world.request()]).await.remove(0);
    assert!(
        matches!(&answer, Submitted::Accepted(accepted) if !accepted.paused),
        "{answer:?}"
    );
}

pub(crate) async fn children_replays_and_handlers_of_a_paused_workflow_wait(db: &TestDatabase) {
    let world = World::new(db).await;
    let (parent, failed, completed) = (
        world.running().await,
        world.running().await,
        world.completed().await,
    );
    let sql = format!(
        "UPDATE workflow_revisions SET on_failure = '{0}' WHERE workflow_id = '{0}'",
        world.workflow
    );
    raw::execute(db, &sql).await;
    switch(&world, WorkflowSwitch::Pause).await;

    let request = world.child_request(&parent, "sub");
    let ChildStarted::Yes(child) = world.start_child(&request).await else {
        panic!()
    };
    assert_waits_for_workflow(&world, &child).await;
    let replay = Replay {
        id: ExecutionId::new(),
        original: completed,
        newest: None,
        idempotency_key: None,
        request_hash: "hash".to_owned(),
        monthly_limit: None,
    };
    let replayed = world
        .protocol()
        .replay(&world.tenant, &Actor::OPERATOR, &replay)
        .await
        .unwrap();
    assert!(
        matches!(&replayed, Replayed::Accepted(accepted) if accepted.paused),
        "{replayed:?}"
    );
    assert_waits_for_workflow(&world, &replay.id).await;
    world.settle(&[failing(&failed, 1)]).await;
    let sql = format!("SELECT id AS value FROM executions WHERE on_failure_of = '{failed}'");
    let handler = raw::texts(db, &sql).await.remove(0).unwrap().parse().unwrap();
    assert_waits_for_workflow(&world, &handler).await;

    switch(&world, WorkflowSwitch::Resume).await;
    assert_eq!(resume_paused(&world).await, 3);
    assert_eq!(world.stands(&child).await, (ExecutionStatus::Pending, 0));
}

pub(crate) async fn neither_a_message_nor_its_time_starts_what_waits_for_its_workflow(db: &TestDatabase) {
    let world = World::new(db).await;
    let later = Submit {
        start: Start::In(Duration::from_secs(600)),
        ..world.request()
    };
    world.submit(std::slice::from_ref(&later)).await;
    switch(&world, WorkflowSwitch::Pause).await;
    raw::make_due(db, &later.id, 1).await;
    let decide = |due: &gristmill_store::Due| {
        assert!(due.paused);
        Wake::AwaitResume
    };
    let acted = world
        .protocol()
        .relay(System, Sweep::all(10, false), &decide)
        .await
        .unwrap();
    assert_eq!(acted.len(), 1);
    assert_waits_for_workflow(&world, &later.id).await;
    let letter = message(&later.id, "k");
    let delivered = world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, &letter, MAX_MESSAGES)
        .await;
    assert_eq!(delivered.unwrap(), Delivered::Yes);
    assert_waits_for_workflow(&world, &later.id).await;
    switch(&world, WorkflowSwitch::Resume).await;
    assert_eq!(resume_paused(&world).await, 1);
    assert_eq!(world.claim(&[(later.id, 0)]).await[0].inbox, 1);
}

pub(crate) async fn what_was_started_before_the_pause_goes_on(db: &TestDatabase) {
    let world = World::new(db).await;
    let (pending, running, waiting) = (
        world.pending().await,
        world.running().await,
        world.waiting().await,
    );
    switch(&world, WorkflowSwitch::Pause).await;
    assert_eq!(world.claim(&[(pending, 0)]).await.len(), 1);
    world.settle(&[completion(&running, 1)]).await;
    assert_eq!(world.stands(&running).await.0, ExecutionStatus::Completed);
    // A timer of the graph is none of the workflow's start.
    let sql = format!("UPDATE executions SET wake_at = created_at WHERE id = '{waiting}'");
    raw::execute(db, &sql).await;
    let due = world
        .relay_one(&waiting, Wake::Start { again_in: LATER })
        .await
        .unwrap();
    assert!(!due.paused);
    assert_eq!(world.stands(&waiting).await.0, ExecutionStatus::Pending);
}

/// The row that a submit makes which began before the resume, or the relay's.
pub(crate) async fn what_slips_in_while_a_workflow_is_resumed_is_found_later(db: &TestDatabase) {
    let world = World::new(db).await;
    let paused = world.add_workflow("default").await;
    let pause = db.store().switch_workflow(
        &world.tenant,
        &Actor::OPERATOR,
        &paused,
        None,
        WorkflowSwitch::Pause,
    );
    assert!(matches!(pause.await.unwrap(), WorkflowChanged::Yes(_)));
    let kept = Submit {
        workflow_id: paused,
        ..world.request()
    };
    world.submit(std::slice::from_ref(&kept)).await;
    let late = world.pending().await;
    let sql = format!(
        "UPDATE executions SET status = 'WAITING', waits_for = 'paused', wake_at = NULL WHERE id = '{late}'"
    );
    raw::execute(db, &sql).await;
    assert_eq!(resume_paused(&world).await, 1);
    assert_eq!(world.stands(&late).await.0, ExecutionStatus::Pending);
    assert_waits_for_workflow(&world, &kept.id).await;
}

pub(crate) async fn resumers_at_once_take_no_more_than_their_limits(db: &TestDatabase) {
    let world = World::new(db).await;
    switch(&world, WorkflowSwitch::Pause).await;
    let members: Vec<_> = (0..50).map(|_| world.request()).collect();
    world.submit(&members).await;
    switch(&world, WorkflowSwitch::Resume).await;
    let resumed = join_all((0..4).map(|_| world.protocol().resume_paused(System, 10))).await;
    let resumed: Vec<_> = resumed.into_iter().map(Result::unwrap).collect();
    assert!(resumed.iter().all(|resumed| *resumed <= 10), "{resumed:?}");
    let total: u64 = resumed.iter().sum();
    assert_eq!(
        total + world.protocol().resume_paused(System, 1_000).await.unwrap(),
        50
    );
}

pub(crate) async fn switch(world: &World<'_>, switch: WorkflowSwitch) {
    let store = world.db.store();
    let changed = store.switch_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, None, switch);
    assert!(matches!(changed.await.unwrap(), WorkflowChanged::Yes(_)));
}

async fn resume_paused(world: &World<'_>) -> u64 {
    world.protocol().resume_paused(System, 1_000).await.unwrap()
}

async fn assert_waits_for_workflow(world: &World<'_>, id: &ExecutionId) {
    assert_eq!(world.stands(id).await, (ExecutionStatus::Waiting, 0));
    assert_eq!(world.wakes_in(id).await, None);
    assert_eq!(world.column(id, "waits_for").await.as_deref(), Some("paused"));
}
