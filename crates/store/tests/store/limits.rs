//! Limits: what counts against the month, and what happens when there is no room left.

use chrono::{Datelike, Utc};
use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus, Settings, UserId, WorkflowId};
use gristmill_store::{
    Actor, ChildStarted, DeadLetter, DefinitionFacts, Error, ExecutionFilter, Held, NewWorkflow, Reached,
    Replay, Replayed, Settle, Submit, Submitted, System, Wake, WorkflowSwitch,
};
use gristmill_testkit::TestDatabase;

use crate::paused::switch;
use crate::raw;
use crate::world::{World, completion, failing};

pub(crate) async fn rule_31_every_execution_that_is_inserted_counts_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let handler = world.add_workflow("bulk").await;
    handled_by(&world, &handler).await;
    world
        .submit(&[
            world.request_with_key("a"),
            world.request_with_key("a"),
            world.request(),
        ])
        .await;
    world.submit(&[world.request_with_key("a")]).await;
    assert_eq!(used(&world).await, 2);
    let parent = world.running().await;
    let child = world.child_request(&parent, "sub");
    world.start_child(&child).await;
    world.start_child(&child).await;
    assert_eq!(used(&world).await, 4);
    let failed = world.failed().await;
    assert_eq!(used(&world).await, 6, "itself and what handles its failure");
    let replayed = world
        .protocol()
        .replay(&world.tenant, &Actor::OPERATOR, &replay(&failed, None))
        .await
        .unwrap();
    assert!(matches!(replayed, Replayed::Accepted(_)), "{replayed:?}");
    assert_eq!(used(&world).await, 7);
    // Nothing is given back, and a retry is none too many.
    let (protocol, tenant) = (world.protocol(), &world.tenant);
    protocol.retry(tenant, &Actor::OPERATOR, &failed).await.unwrap();
    world.cancel(&failed).await;
    protocol.delete(tenant, &Actor::OPERATOR, &failed).await.unwrap();
    assert_eq!(used(&world).await, 7);
    assert_eq!(used(&World::new(db).await).await, 0, "another organization");
}

pub(crate) async fn of_a_group_the_first_that_fit_are_admitted(db: &TestDatabase) {
    let world = World::new(db).await;
    world.submit(&[world.request_with_key("known")]).await;
    set_used(&world, 8).await;
    let limited = |submit: Submit| Submit {
        monthly_limit: Some(10),
        ..submit
    };
    let members = [
        limited(Submit {
            workflow_id: WorkflowId::new(),
            ..world.request()
        }),
        limited(world.request_with_key("known")),
        limited(world.request_with_key("new")),
        limited(world.request_with_key("new")),
        limited(world.request()),
        limited(world.request()),
        limited(world.request_with_key("known")),
        // A caller whom nothing limits.
        world.request(),
    ];
    let answers = world.submit(&members).await;
    assert_eq!(answers[0], Submitted::UnknownWorkflow);
    assert!(matches!(answers[2], Submitted::Accepted(_)), "{answers:?}");
    assert_eq!(answers[3], Submitted::Known(members[2].id.clone()));
    assert!(matches!(answers[4], Submitted::Accepted(_)), "{answers:?}");
    for known in [1, 6] {
        assert!(matches!(answers[known], Submitted::Known(_)), "{answers:?}");
    }
    assert!(matches!(answers[7], Submitted::Accepted(_)), "{answers:?}");
    let Submitted::LimitReached(reached) = &answers[5] else {
        panic!("{answers:?}");
    };
    assert_eq!(reached.limit, 10);
    let now = Utc::now();
    let resets_at = reached.resets_at.unwrap();
    assert_eq!((resets_at.day(), resets_at > now), (1, true));
    assert!((resets_at - now).num_days() <= 31);
    assert_eq!(used(&world).await, 11);
    // A producer that repeats itself is answered, however much is used.
    let again = world
        .submit(&[limited(world.request_with_key("new")), limited(world.request())])
        .await;
    assert_eq!(again[0], Submitted::Known(members[2].id.clone()));
    assert!(
        matches!(again[1], Submitted::LimitReached(Reached { used: 11, .. })),
        "{again:?}"
    );
}

pub(crate) async fn equal_new_keys_find_no_room_together(db: &TestDatabase) {
    let world = World::new(db).await;
    set_used(&world, 10).await;
    let limited = |submit: Submit| Submit {
        monthly_limit: Some(10),
        ..submit
    };
    let members = [
        limited(world.request_with_key("new")),
        limited(world.request_with_key("new")),
        limited(world.request()),
    ];
    let answers = world.submit(&members).await;
    let is_refused = |answer: &Submitted| matches!(answer, Submitted::LimitReached(Reached { used: 10, .. }));
    assert!(answers.iter().all(is_refused), "{answers:?}");
    // With room for one, it is the first one's, and the second one's too.
    set_used(&world, 9).await;
    let answers = world.submit(&members).await;
    assert!(matches!(answers[0], Submitted::Accepted(_)), "{answers:?}");
    assert_eq!(answers[1], Submitted::Known(members[0].id.clone()));
    assert_eq!(used(&world).await, 10);
}

pub(crate) async fn of_forty_submits_at_once_for_the_last_place_one_is_admitted(db: &TestDatabase) {
    let world = World::new(db).await;
    set_used(&world, 999).await;
    let answers = join_all((0..40).map(|_| {
        let submit = Submit {
            monthly_limit: Some(1_000),
            ..world.request()
        };
        let world = &world;
        async move { world.submit(&[submit]).await.remove(0) }
    }))
    .await;
    let admitted = answers
        .iter()
        .filter(|answer| matches!(answer, Submitted::Accepted(_)));
    assert_eq!(admitted.count(), 1);
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Submitted::LimitReached(_)));
    assert_eq!(refused.count(), 39);
    assert_eq!(used(&world).await, 1_000);
}

pub(crate) async fn a_replay_keeps_to_the_limit(db: &TestDatabase) {
    let world = World::new(db).await;
    let original = world.completed().await;
    let keyed = Replay {
        idempotency_key: Some("again".to_owned()),
        ..replay(&original, Some(2))
    };
    let (protocol, tenant) = (world.protocol(), &world.tenant);
    let ask = async |replay: &Replay| protocol.replay(tenant, &Actor::OPERATOR, replay).await.unwrap();
    assert!(matches!(ask(&keyed).await, Replayed::Accepted(_)));
    assert_eq!(ask(&keyed).await, Replayed::Known(keyed.id.clone()));
    let refused = ask(&replay(&original, Some(2))).await;
    assert!(
        matches!(
            refused,
            Replayed::LimitReached(Reached {
                limit: 2,
                used: 2,
                ..
            })
        ),
        "{refused:?}"
    );
}

pub(crate) async fn children_keep_to_the_limit_of_their_organizations_tier(db: &TestDatabase) {
    let world = World::new(db).await;
    let mut parents = Vec::new();
    for _ in 0..8 {
        parents.push(world.running().await);
    }
    set_tier(&world, "GROWTH").await;
    set_used(&world, 999).await;
    let requests: Vec<_> = parents
        .iter()
        .map(|parent| world.child_request(parent, "sub"))
        .collect();
    let answers = join_all(requests.iter().map(|request| world.start_child(request))).await;
    let started = answers
        .iter()
        .filter(|answer| matches!(answer, ChildStarted::Yes(_)));
    assert_eq!(started.count(), 1, "{answers:?}");
    let refused = answers.iter().filter(|answer| {
        matches!(
            answer,
            ChildStarted::LimitReached(Reached {
                limit: 1_000,
                used: 1_000,
                ..
            })
        )
    });
    assert_eq!(refused.count(), 7, "{answers:?}");
    assert_eq!(used(&world).await, 1_000);
    // Whoever asks again is told of the child that it has.
    for (request, answer) in requests.iter().zip(&answers) {
        if let ChildStarted::Yes(child) = answer {
            assert_eq!(world.start_child(request).await, ChildStarted::Yes(child.clone()));
        }
    }
}

pub(crate) async fn a_failure_that_there_is_no_room_to_handle_is_a_failure_all_the_same(db: &TestDatabase) {
    let world = World::new(db).await;
    let handler = world.add_workflow("bulk").await;
    handled_by(&world, &handler).await;
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(world.running().await);
    }
    let (late, dead) = (world.running().await, world.pending().await);
    set_tier(&world, "GROWTH").await;
    set_used(&world, 998).await;
    let group: Vec<Settle> = running.iter().map(|id| failing(id, 1)).collect();
    let (first, rest) = group.split_at(1);
    assert_eq!(world.settle(first).await, [Held::Yes]);
    assert_eq!((handlers(&world).await, used(&world).await), (1, 999));
    assert_eq!(world.settle(rest).await, [Held::Yes; 3]);
    assert_eq!((handlers(&world).await, used(&world).await), (2, 1_000));
    raw::make_due(world.db, &late, 1).await;
    let error = r#"{"code":"worker_lost","message":"gone"}"#;
    let fail = Wake::Fail {
        error: error.to_owned(),
    };
    world.relay_one(&late, fail).await.unwrap();
    let jobs = [(dead.clone(), 0)];
    let counted = world.protocol().count_dead_letters(System, &jobs, 1, error);
    assert_eq!(counted.await.unwrap(), [DeadLetter::Failed]);
    for id in running.iter().chain([&late, &dead]) {
        assert_eq!(world.stands(id).await.0, ExecutionStatus::Failed);
    }
    assert_eq!((handlers(&world).await, used(&world).await), (2, 1_000));
    // Where nothing is limited, the same failures are handled.
    set_tier(&world, "ELITE").await;
    world.failed().await;
    assert_eq!((handlers(&world).await, used(&world).await), (3, 1_002));
}

pub(crate) async fn of_twenty_who_add_the_last_workflow_at_once_one_does(db: &TestDatabase) {
    let world = World::new(db).await;
    let user = user(&world).await;
    let added = join_all((0..20).map(|_| {
        let new = new_workflow(&user, Some(2));
        db.store().create_workflow(&world.tenant, &Actor::OPERATOR, new)
    }))
    .await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1);
    for refused in added.iter().filter_map(|added| added.as_ref().err()) {
        let Error::LimitReached(reached) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((reached.limit, reached.used, reached.resets_at), (2, 2, None));
    }
    let usage = db.store().usage(&world.tenant).await.unwrap();
    assert_eq!(usage.workflows, 2);
}

pub(crate) async fn what_a_paused_workflow_is_sent_counts_at_once(db: &TestDatabase) {
    let world = World::new(db).await;
    switch(&world, WorkflowSwitch::Pause).await;
    world.submit(&[world.request(), world.request()]).await;
    assert_eq!(used(&world).await, 2);
    let limited = Submit {
        monthly_limit: Some(2),
        ..world.request()
    };
    let answers = world.submit(&[limited]).await;
    assert!(matches!(answers[..], [Submitted::LimitReached(_)]), "{answers:?}");
}

pub(crate) async fn a_deleted_workflow_makes_room_for_another(db: &TestDatabase) {
    let world = World::new(db).await;
    world.submit(&[world.request()]).await;
    switch(&world, WorkflowSwitch::Delete).await;
    assert_eq!(db.store().usage(&world.tenant).await.unwrap().workflows, 0);
    let new = new_workflow(&user(&world).await, Some(1));
    let added = db.store().create_workflow(&world.tenant, &Actor::OPERATOR, new);
    added.await.unwrap();
}

pub(crate) async fn tags_and_metadata_are_kept_found_and_replayed(db: &TestDatabase) {
    let world = World::new(db).await;
    let submit = Submit {
        tags: Some(r#"["a","b","a"]"#.into()),
        metadata: Some(r#"{"order": "\u0000"}"#.into()),
        ..world.request_with_key("key")
    };
    let limited = Submit {
        tags: Some(r#"["b"]"#.into()),
        monthly_limit: Some(10),
        ..world.request()
    };
    world.submit(&[submit.clone(), world.request()]).await;
    let repeated = Submit {
        id: ExecutionId::new(),
        tags: Some(r#"["c"]"#.into()),
        ..submit.clone()
    };
    world.submit(&[limited.clone(), repeated]).await;
    world.claim(&[(submit.id.clone(), 0)]).await;
    world.settle(&[completion(&submit.id, 1)]).await;
    let again = replay(&submit.id, None);
    let replayed = world
        .protocol()
        .replay(&world.tenant, &Actor::OPERATOR, &again)
        .await;
    assert!(matches!(replayed, Ok(Replayed::Accepted(_))), "{replayed:?}");
    for id in [&submit.id, &again.id] {
        let found = db.store().execution(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(
            (found.tags.as_deref(), found.metadata.as_deref()),
            (submit.tags.as_deref(), submit.metadata.as_deref())
        );
    }
    let (first, second, third) = (submit.id, limited.id, again.id);
    assert_eq!(tagged(&world, "a").await, [third.clone(), first.clone()]);
    assert_eq!(tagged(&world, "b").await, [third, second, first]);
    assert!(tagged(&world, "c").await.is_empty(), "its key was known");
}

/// The executions with a tag, newest first.
async fn tagged(world: &World<'_>, tag: &str) -> Vec<ExecutionId> {
    let filter = ExecutionFilter {
        tags: vec![tag.to_owned()],
        ..ExecutionFilter::default()
    };
    let page = world.db.store().list_executions(&world.tenant, &filter, None, 10);
    let executions = page.await.unwrap().executions;
    executions.into_iter().map(|found| found.id).collect()
}

async fn used(world: &World<'_>) -> i64 {
    world.db.store().usage(&world.tenant).await.unwrap().executions
}

/// As if so many had been counted in this month; some of them by callers without a limit.
async fn set_used(world: &World<'_>, used: i64) {
    let month = world.db.store().usage(&world.tenant).await.unwrap().month;
    let sql = format!(
        "DELETE FROM usage_counters WHERE organization_id = '{0}';
         INSERT INTO usage_counters (organization_id, month, slot, executions)
         VALUES ('{0}', '{month}', 0, {1}), ('{0}', '{month}', 7, 2), ('{0}', '2020-01', 0, 5)",
        world.tenant.0,
        used - 2
    );
    raw::execute(world.db, &sql).await;
}

async fn set_tier(world: &World<'_>, tier: &str) {
    let sql = format!(
        "UPDATE organizations SET tier = '{tier}' WHERE id = '{}'",
        world.tenant.0
    );
    raw::execute(world.db, &sql).await;
}

async fn handled_by(world: &World<'_>, handler: &WorkflowId) {
    let sql = format!(
        "UPDATE workflow_revisions SET on_failure = '{handler}' WHERE workflow_id = '{}'",
        world.workflow
    );
    raw::execute(world.db, &sql).await;
}

async fn handlers(world: &World<'_>) -> usize {
    let sql = "SELECT id AS value FROM executions WHERE on_failure_of IS NOT NULL";
    raw::texts(world.db, sql).await.len()
}

fn replay(original: &ExecutionId, monthly_limit: Option<u32>) -> Replay {
    Replay {
        id: ExecutionId::new(),
        original: original.clone(),
        newest: None,
        idempotency_key: None,
        request_hash: "replay".to_owned(),
        monthly_limit,
    }
}

fn new_workflow(user: &UserId, limit: Option<u32>) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId::new(),
        name: "Grind".to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        definition: "{}".to_owned(),
        facts: DefinitionFacts::from(&Settings::default()),
        template_id: None,
        created_by: user.clone(),
        limit,
    }
}

async fn user(world: &World<'_>) -> UserId {
    let sql = format!(
        "SELECT created_by AS value FROM workflows WHERE id = '{}'",
        world.workflow
    );
    let mut users = raw::texts(world.db, &sql).await;
    users.remove(0).unwrap().parse().unwrap()
}
