use futures_util::future::join_all;
use gristmill_core::access::Tier;
use gristmill_core::{
    ChildEnd, ExecutionError, ExecutionId, ExecutionStatus, FailedExecution, FailureInput, WorkflowId,
};
use gristmill_store::{Actor, ChildStarted, Held, Settle, StartChild, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, World, completion, failing, suspension};

pub(crate) async fn a_child_belongs_to_its_parent_and_is_due_at_once(db: &TestDatabase) {
    let world = World::new(db).await;
    world.change_workflow("lane = 'bulk', timeout_ms = 5000").await;
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    assert_eq!(world.stands(&child).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&child).await, 0.0));
    for (column, value) in [
        ("parent_execution_id", parent.as_str()),
        ("parent_path", "sub"),
        ("organization_id", world.tenant.0.as_str()),
        ("lane", "bulk"),
        ("timeout_ms", "5000"),
        ("revision", "1"),
        ("depth", "1"),
        ("input", r#"{"n":1}"#),
    ] {
        assert_eq!(
            world.column(&child, column).await.as_deref(),
            Some(value),
            "{column}"
        );
    }
    assert!(world.claim(&[(child, 0)]).await[0].is_child);
}

pub(crate) async fn there_is_one_child_for_each_path(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let requests: Vec<_> = (0..8).map(|_| world.child_request(&parent, "sub")).collect();
    let started = join_all(requests.iter().map(|request| world.start_child(request))).await;
    let ChildStarted::Yes(child) = &started[0] else {
        panic!("{started:?}")
    };
    assert!(started.iter().all(|answer| *answer == started[0]), "{started:?}");
    assert_ne!(world.child_of(&parent, "sub#2").await, *child);
    let count = format!(
        "SELECT CAST(count(*) AS text) AS value FROM executions WHERE parent_execution_id = '{parent}'"
    );
    assert_eq!(raw::texts(db, &count).await, [Some("2".to_owned())]);
    // The same answer once the child has ended.
    world.cancel(child).await;
    assert_eq!(world.child_of(&parent, "sub").await, *child);
}

pub(crate) async fn only_the_holder_of_a_running_parent_starts_children(db: &TestDatabase) {
    let world = World::new(db).await;
    let (taken_over, waiting, ended, pending) = (
        world.taken_over().await,
        world.waiting().await,
        world.completed().await,
        world.pending().await,
    );
    for parent in [&taken_over, &waiting, &ended, &ExecutionId::new()] {
        assert_eq!(
            world.start_child(&world.child_request(parent, "sub")).await,
            ChildStarted::Lost
        );
    }
    let early = StartChild {
        attempt: 0,
        ..world.child_request(&pending, "sub")
    };
    assert_eq!(world.start_child(&early).await, ChildStarted::Lost);
    let mine = StartChild {
        attempt: 2,
        ..world.child_request(&taken_over, "sub")
    };
    assert_eq!(world.start_child(&mine).await, ChildStarted::Yes(mine.id.clone()));
}

pub(crate) async fn a_child_that_cannot_be_started_is_told_why(db: &TestDatabase) {
    let world = World::new(db).await;
    let strangers = World::new(db).await;
    let parent = world.running().await;
    for workflow_id in [WorkflowId::new(), strangers.workflow.clone()] {
        let request = StartChild {
            workflow_id,
            ..world.child_request(&parent, "sub")
        };
        assert_eq!(world.start_child(&request).await, ChildStarted::UnknownWorkflow);
    }
    let child = world.child_of(&parent, "sub").await;
    world.claim(&[(child.clone(), 0)]).await;
    let too_deep = StartChild {
        max_depth: 1,
        ..world.child_request(&child, "sub")
    };
    assert_eq!(world.start_child(&too_deep).await, ChildStarted::TooDeep);
    world.change_workflow("is_active = false").await;
    assert_eq!(
        world.start_child(&world.child_request(&child, "sub")).await,
        ChildStarted::InactiveWorkflow
    );
    // What was started before goes on.
    assert_eq!(world.child_of(&parent, "sub").await, child);
}

pub(crate) async fn a_child_s_input_is_checked_against_the_newest_revision_or_not_at_all(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let early = world.child_of(&parent, "early").await;
    let save = format!(
        "INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
         SELECT organization_id, workflow_id, 2, definition FROM workflow_revisions WHERE workflow_id = '{}'",
        world.workflow
    );
    raw::execute(db, &save).await;
    world.change_workflow("checks_input = true, revision = 2").await;
    let checked = |path: &str, checked| StartChild {
        checked,
        ..world.child_request(&parent, path)
    };
    for stale in [None, Some(1)] {
        let unchecked = ChildStarted::Unchecked { revision: 2 };
        assert_eq!(world.start_child(&checked("sub", stale)).await, unchecked);
        // In an organization with a limit it is another statement.
        set_tier(&world, Tier::Free).await;
        assert_eq!(world.start_child(&checked("sub", stale)).await, unchecked);
        set_tier(&world, Tier::Enterprise).await;
        // What was started before goes on, whatever schema has come since.
        let known = ChildStarted::Yes(early.clone());
        assert_eq!(world.start_child(&checked("early", stale)).await, known);
    }
    let request = checked("sub", Some(2));
    assert_eq!(
        world.start_child(&request).await,
        ChildStarted::Yes(request.id.clone())
    );
}

async fn set_tier(world: &World<'_>, tier: Tier) {
    let store = world.db.store();
    store
        .set_tier(&world.tenant, &Actor::OPERATOR, tier)
        .await
        .unwrap();
}

pub(crate) async fn the_end_of_a_child_is_a_message_that_wakes_its_parent(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let (good, bad) = (
        world.child_of(&parent, "a").await,
        world.child_of(&parent, "b").await,
    );
    world.claim(&[(good.clone(), 0), (bad.clone(), 0)]).await;
    world
        .protocol()
        .suspend(System, &[suspension(&parent, 1)])
        .await
        .unwrap();
    assert_eq!(
        world
            .settle(&[child_end(completion(&good, 1)), child_end(failing(&bad, 1))])
            .await,
        [Held::Yes; 2]
    );
    assert_eq!(world.stands(&parent).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&parent).await, 0.0));
    let mut messages = world.messages_of(&parent).await;
    messages.sort();
    let mut expected = [
        (
            format!("child:{good}"),
            r#"{"status":"COMPLETED","output":{"done":true}}"#.to_owned(),
        ),
        (
            format!("child:{bad}"),
            r#"{"status":"FAILED","error":{"code":"broken","message":"no"}}"#.to_owned(),
        ),
    ];
    expected.sort();
    assert_eq!(messages, expected);
    // The statement writes what the type does.
    for (_, body) in messages {
        let end: ChildEnd = serde_json::from_str(&body).unwrap();
        assert_eq!(serde_json::to_string(&end).unwrap(), body);
    }
    assert_eq!(world.claim(&[(parent, 1)]).await[0].inbox, 2);
}

pub(crate) async fn a_parent_that_ends_with_its_child_in_one_group_keeps_what_it_may_need(db: &TestDatabase) {
    let world = World::new(db).await;
    let (failed, completed) = (world.running().await, world.running().await);
    let (first, second) = (
        world.child_of(&failed, "sub").await,
        world.child_of(&completed, "sub").await,
    );
    world.claim(&[(first.clone(), 0), (second.clone(), 0)]).await;
    let members = [
        failing(&failed, 1),
        completion(&completed, 1),
        child_end(completion(&first, 1)),
        child_end(completion(&second, 1)),
    ];
    assert_eq!(world.settle(&members).await, [Held::Yes; 4]);
    // An operator may retry the failed one, and it must not wait for a child that ended long ago.
    assert_eq!(world.messages_of(&failed).await.len(), 1);
    assert_eq!(world.watch(&failed).await.inbox, 1);
    assert_eq!(world.stands(&failed).await.0, ExecutionStatus::Failed);
    assert!(world.messages_of(&completed).await.is_empty());
}

pub(crate) async fn the_ends_of_a_hundred_children_at_once_are_numbered_without_gaps(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let mut children = Vec::new();
    for number in 0..100 {
        children.push(world.child_of(&parent, &number.to_string()).await);
    }
    let jobs: Vec<_> = children.iter().map(|id| (id.clone(), 0)).collect();
    assert_eq!(world.claim(&jobs).await.len(), 100);
    let ends: Vec<_> = children.iter().map(|id| child_end(completion(id, 1))).collect();
    let settled = join_all(ends.chunks(10).map(|part| world.settle(part))).await;
    assert!(settled.iter().flatten().all(|held| *held == Held::Yes));
    let inbox = world.protocol().inbox(System, &parent, 0).await.unwrap();
    assert_eq!(
        inbox.iter().map(|message| message.seq).collect::<Vec<_>>(),
        (1..=100).collect::<Vec<i64>>()
    );
    assert_eq!(world.watch(&parent).await.inbox, 100);
}

pub(crate) async fn a_child_that_the_relay_fails_is_a_message_for_its_parent(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    world.claim(&[(child.clone(), 0)]).await;
    raw::make_due(db, &child, 1).await;
    let error = r#"{"code":"worker_lost","message":"gone"}"#.to_owned();
    world.relay_one(&child, Wake::Fail { error }).await;
    assert_eq!(world.stands(&child).await.0, ExecutionStatus::Failed);
    assert_eq!(world.messages_of(&parent).await.len(), 1);
    assert_eq!(world.stands(&parent).await, (ExecutionStatus::Running, 1));
    // An operator's retry ends it a second time: the parent was told.
    world
        .protocol()
        .retry(&world.tenant, &Actor::OPERATOR, &child)
        .await
        .unwrap();
    world.claim(&[(child.clone(), 1)]).await;
    world.settle(&[child_end(completion(&child, 2))]).await;
    assert_eq!(world.messages_of(&parent).await.len(), 1);
    assert_eq!(world.watch(&parent).await.inbox, 1);
}

pub(crate) async fn a_failed_execution_is_handed_to_its_handler_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let handler = world.add_workflow("bulk").await;
    on_failure(&world, &handler).await;
    let (failed, completed, cancelled) = (
        world.running().await,
        world.running().await,
        world.running().await,
    );
    world
        .settle(&[failing(&failed, 1), completion(&completed, 1)])
        .await;
    world.settle(&[failing(&failed, 1)]).await;
    world.cancel(&cancelled).await;
    let handlers = handlers(&world).await;
    assert_eq!(handlers.len(), 1, "{handlers:?}");
    let id: ExecutionId = handlers[0].parse().unwrap();
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&id).await, 0.0));
    let expected = FailureInput {
        failed: FailedExecution {
            id: failed.clone(),
            workflow_id: world.workflow.clone(),
            revision: 1,
            error: ExecutionError::new("broken", "no"),
            input: serde_json::Map::new(),
        },
    };
    let input = world.column(&id, "input").await.unwrap();
    assert_eq!(input, serde_json::to_string(&expected).unwrap());
    assert_eq!(serde_json::from_str::<FailureInput>(&input).unwrap(), expected);
    for (column, value) in [
        ("on_failure_of", failed.as_str()),
        ("workflow_id", handler.as_str()),
        ("lane", "bulk"),
        ("depth", "1"),
    ] {
        assert_eq!(
            world.column(&id, column).await.as_deref(),
            Some(value),
            "{column}"
        );
    }
}

pub(crate) async fn a_handler_that_fails_is_not_handled(db: &TestDatabase) {
    let world = World::new(db).await;
    // It would handle itself for ever.
    on_failure(&world, &world.workflow.clone()).await;
    world.failed().await;
    let id: ExecutionId = handlers(&world).await[0].parse().unwrap();
    world.claim(&[(id.clone(), 0)]).await;
    world.settle(&[failing(&id, 1)]).await;
    assert_eq!(world.stands(&id).await.0, ExecutionStatus::Failed);
    assert_eq!(handlers(&world).await.len(), 1);
    // Nor does a handler that is switched off, or gone, keep the execution from failing.
    world.change_workflow("is_active = false").await;
    let sql = "UPDATE executions SET on_failure_of = NULL";
    raw::execute(db, sql).await;
    world
        .protocol()
        .retry(&world.tenant, &Actor::OPERATOR, &id)
        .await
        .unwrap();
    world.claim(&[(id.clone(), 1)]).await;
    assert_eq!(world.settle(&[failing(&id, 2)]).await, [Held::Yes]);
    assert!(handlers(&world).await.is_empty());
}

fn child_end(settle: Settle) -> Settle {
    Settle {
        is_child: true,
        ..settle
    }
}

async fn on_failure(world: &World<'_>, handler: &WorkflowId) {
    let sql = format!(
        "UPDATE workflow_revisions SET on_failure = '{handler}' WHERE workflow_id = '{}'",
        world.workflow
    );
    raw::execute(world.db, &sql).await;
}

async fn handlers(world: &World<'_>) -> Vec<String> {
    let sql = "SELECT id AS value FROM executions WHERE on_failure_of IS NOT NULL";
    raw::texts(world.db, sql).await.into_iter().flatten().collect()
}

pub(crate) async fn a_child_is_published_by_the_relay(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    let due = world
        .relay_one(&child, Wake::Publish { again_in: LATER })
        .await
        .unwrap();
    assert_eq!((due.job.attempt, due.expired), (0, false));
    assert_eq!(due.job.organization_id, world.tenant.0);
}
