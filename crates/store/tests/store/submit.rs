use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};
use gristmill_store::{Repeat, Submit, Submitted};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{World, accepted};

pub(crate) async fn a_submit_is_recorded_as_pending_with_a_clock(db: &TestDatabase) {
    let world = World::new(db).await;
    let request = world.request();
    let answers = world.submit(std::slice::from_ref(&request)).await;
    let Submitted::Accepted(accepted) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(
        (&accepted.id, accepted.revision, accepted.lane.as_str()),
        (&request.id, 1, "default")
    );
    let age = db.store().now().await.unwrap() - accepted.created_at;
    assert!(age.abs().num_seconds() < 10, "{age}");
    assert_eq!(world.stands(&request.id).await, (ExecutionStatus::Pending, 0));
    // A process that dies between the commit and the publish leaves the row to the relay.
    assert!(raw::about(world.wakes_in(&request.id).await, 30.0));
    assert!(!world.is_published(&request.id).await);
}

pub(crate) async fn a_submit_takes_the_newest_revision_and_the_workflows_lane(db: &TestDatabase) {
    let world = World::new(db).await;
    let bulk = world.add_workflow("bulk").await;
    let sql = format!(
        "INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
         VALUES ('{0}', '{bulk}', 2, '{{}}');
         UPDATE workflows SET revision = 2 WHERE id = '{bulk}'",
        world.tenant.0
    );
    raw::execute(db, &sql).await;
    let answers = world
        .submit(&[Submit {
            workflow_id: bulk,
            ..world.request()
        }])
        .await;
    let Submitted::Accepted(accepted) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!((accepted.revision, accepted.lane.as_str()), (2, "bulk"));
    let claimed = world.claim(&[(accepted.id.clone(), 0)]).await;
    assert_eq!(claimed[0].revision, 2);
}

pub(crate) async fn the_same_key_and_request_is_answered_with_the_same_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let first = world.request_with_key("order-1");
    world.submit(std::slice::from_ref(&first)).await;
    let second = world.request_with_key("order-1");
    assert_eq!(
        world.submit(std::slice::from_ref(&second)).await,
        [Submitted::Known(first.id)]
    );
    assert_eq!(world.claim(&[(second.id, 0)]).await.len(), 0);
}

pub(crate) async fn the_same_key_with_another_request_is_refused(db: &TestDatabase) {
    let world = World::new(db).await;
    let first = world.request_with_key("order-1");
    world.submit(std::slice::from_ref(&first)).await;
    let second = Submit {
        request_hash: "other".to_owned(),
        ..world.request_with_key("order-1")
    };
    assert_eq!(world.submit(&[second]).await, [Submitted::KeyReused(first.id)]);
}

pub(crate) async fn a_key_that_names_an_event_is_one_execution_whatever_its_content(db: &TestDatabase) {
    let world = World::new(db).await;
    let event = |request_hash: &str, repeat| Submit {
        request_hash: request_hash.to_owned(),
        repeat,
        ..world.request_with_key("delivery-1")
    };
    let first = event("one", Repeat::SameKey);
    let in_one_group = [first.clone(), event("two", Repeat::SameKey)];
    let answers = world.submit(&in_one_group).await;
    assert!(matches!(&answers[0], Submitted::Accepted(accepted) if accepted.id == first.id));
    assert_eq!(answers[1], Submitted::Known(first.id.clone()));
    // With a limit it is another statement; and what a repeat is, whoever repeats says.
    let limited = |submit: Submit| Submit {
        monthly_limit: Some(100),
        ..submit
    };
    for (repeat, answer) in [
        (Repeat::SameKey, Submitted::Known(first.id.clone())),
        (Repeat::SameContent, Submitted::KeyReused(first.id)),
    ] {
        for again in [event("three", repeat), limited(event("three", repeat))] {
            assert_eq!(world.submit(&[again]).await, std::slice::from_ref(&answer));
        }
    }
}

pub(crate) async fn a_key_used_twice_in_one_group_is_one_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let (first, again) = (
        world.request_with_key("order-1"),
        world.request_with_key("order-1"),
    );
    let other = Submit {
        request_hash: "other".to_owned(),
        ..world.request_with_key("order-1")
    };
    let answers = world
        .submit(&[first.clone(), again, other, world.request_with_key("order-2")])
        .await;
    assert!(
        matches!(&answers[0], Submitted::Accepted(accepted) if accepted.id == first.id),
        "{answers:?}"
    );
    assert_eq!(
        answers[1..3],
        [Submitted::Known(first.id.clone()), Submitted::KeyReused(first.id)]
    );
    assert!(matches!(&answers[3], Submitted::Accepted(_)), "{answers:?}");
}

pub(crate) async fn of_eight_submits_with_one_key_at_once_one_is_accepted(db: &TestDatabase) {
    let world = World::new(db).await;
    let groups: Vec<_> = (0..8).map(|_| [world.request_with_key("order-1")]).collect();
    let answers = join_all(groups.iter().map(|group| world.submit(group)))
        .await
        .concat();
    let winners = accepted(&answers);
    assert_eq!(winners.len(), 1, "{answers:?}");
    let known = Submitted::Known(winners[0].clone());
    assert_eq!(
        answers.iter().filter(|answer| **answer == known).count(),
        7,
        "{answers:?}"
    );
}

pub(crate) async fn groups_with_the_same_keys_in_opposite_orders_all_succeed(db: &TestDatabase) {
    let world = World::new(db).await;
    let groups: Vec<Vec<Submit>> = (0..8)
        .map(|group| {
            let mut members: Vec<_> = (0..50)
                .map(|key| world.request_with_key(&format!("order-{key}")))
                .collect();
            if group % 2 == 1 {
                members.reverse();
            }
            members
        })
        .collect();
    let answers = join_all(groups.iter().map(|group| world.submit(group)))
        .await
        .concat();
    assert_eq!(accepted(&answers).len(), 50);
    let known = answers
        .iter()
        .filter(|answer| matches!(answer, Submitted::Known(_)))
        .count();
    assert_eq!(known, 7 * 50);
}

pub(crate) async fn a_key_belongs_to_its_organization(db: &TestDatabase) {
    let (ours, theirs) = (World::new(db).await, World::new(db).await);
    let answers = [
        ours.submit(&[ours.request_with_key("order-1")]).await,
        theirs.submit(&[theirs.request_with_key("order-1")]).await,
    ];
    assert_eq!(accepted(&answers.concat()).len(), 2);
}

pub(crate) async fn a_replay_is_answered_even_when_the_workflow_was_switched_off(db: &TestDatabase) {
    let world = World::new(db).await;
    let first = world.request_with_key("order-1");
    world.submit(std::slice::from_ref(&first)).await;
    switch_off(&world, &world.workflow).await;
    assert_eq!(
        world.submit(&[world.request_with_key("order-1")]).await,
        [Submitted::Known(first.id)]
    );
}

pub(crate) async fn each_member_of_a_submit_is_answered_for_itself(db: &TestDatabase) {
    let (world, theirs) = (World::new(db).await, World::new(db).await);
    let inactive = world.add_workflow("default").await;
    switch_off(&world, &inactive).await;
    let members = [
        world.request(),
        Submit {
            workflow_id: WorkflowId::new(),
            ..world.request()
        },
        Submit {
            workflow_id: theirs.workflow.clone(),
            ..world.request()
        },
        Submit {
            workflow_id: inactive,
            ..world.request()
        },
        world.request(),
    ];
    let answers = world.submit(&members).await;
    assert_eq!(accepted(&answers), [members[0].id.clone(), members[4].id.clone()]);
    assert_eq!(
        answers[1..4],
        [
            Submitted::UnknownWorkflow,
            Submitted::UnknownWorkflow,
            Submitted::InactiveWorkflow
        ]
    );
    let jobs: Vec<(ExecutionId, i32)> = members.iter().map(|member| (member.id.clone(), 0)).collect();
    assert_eq!(world.claim(&jobs).await.len(), 2);
}

pub(crate) async fn the_input_is_kept_byte_for_byte(db: &TestDatabase) {
    let world = World::new(db).await;
    let input =
        "{\"b\" : 1.0,\"a\":\"\\u0000 \\ud83d\\ude00 😀 é é \u{202e}\\\\ ' \u{1}\", \"a\":1e400}".to_owned();
    let request = Submit {
        input: input.as_str().into(),
        ..world.request()
    };
    world.submit(std::slice::from_ref(&request)).await;
    assert_eq!(world.claim(&[(request.id, 0)]).await[0].input, input);
}

async fn switch_off(world: &World<'_>, workflow: &WorkflowId) {
    let sql = format!("UPDATE workflows SET is_active = false WHERE id = '{workflow}'");
    raw::execute(world.db, &sql).await;
}
