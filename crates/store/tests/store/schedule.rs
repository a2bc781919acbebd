use std::time::Duration;

use chrono::TimeDelta;
use gristmill_core::ExecutionStatus;
use gristmill_store::{Actor, Delivered, Start, Submit, Submitted, Suspend, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, MAX_MESSAGES, World, message, suspension};

pub(crate) async fn a_submit_for_later_waits_for_its_time(db: &TestDatabase) {
    let world = World::new(db).await;
    let now = db.store().now().await.unwrap();
    let starts = [
        (Start::At(now + TimeDelta::seconds(600)), Some(600.0)),
        (Start::In(Duration::from_secs(600)), Some(600.0)),
        (Start::At(now - TimeDelta::seconds(600)), None),
        (Start::In(Duration::ZERO), None),
        (Start::Now, None),
    ];
    let members: Vec<_> = starts
        .iter()
        .map(|(start, _)| Submit {
            start: *start,
            ..world.request()
        })
        .collect();
    for ((answer, member), (start, later)) in world.submit(&members).await.iter().zip(&members).zip(starts) {
        let Submitted::Accepted(accepted) = answer else {
            panic!("{answer:?}")
        };
        let (status, wakes_in) = match later {
            Some(later) => (ExecutionStatus::Waiting, later),
            None => (ExecutionStatus::Pending, LATER.as_secs_f64()),
        };
        assert_eq!(world.stands(&member.id).await.0, status, "{start:?}");
        assert!(
            raw::about(world.wakes_in(&member.id).await, wakes_in),
            "{start:?}"
        );
        assert_eq!(accepted.starts_at.is_some(), later.is_some(), "{start:?}");
        if let (Some(starts_at), Start::At(time)) = (accepted.starts_at, start) {
            assert_eq!(starts_at.timestamp_millis(), time.timestamp_millis());
        }
    }
}

pub(crate) async fn a_message_does_not_start_an_execution_before_its_time(db: &TestDatabase) {
    let world = World::new(db).await;
    let later = Submit {
        start: Start::In(Duration::from_secs(600)),
        ..world.request()
    };
    world.submit(std::slice::from_ref(&later)).await;
    let letter = message(&later.id, "k");
    let delivered = world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, &letter, MAX_MESSAGES)
        .await;
    assert_eq!(delivered.unwrap(), Delivered::Yes);
    assert_eq!(world.stands(&later.id).await, (ExecutionStatus::Waiting, 0));
    assert!(raw::about(world.wakes_in(&later.id).await, 600.0));
    // When its time comes it is like any other.
    raw::make_due(db, &later.id, 1).await;
    world.relay_one(&later.id, Wake::Start { again_in: LATER }).await;
    assert_eq!(world.claim(&[(later.id, 0)]).await[0].inbox, 1);
}

pub(crate) async fn an_input_is_checked_against_the_newest_revision_or_not_at_all(db: &TestDatabase) {
    let world = World::new(db).await;
    world.change_workflow("checks_input = true, revision = 1").await;
    let checked = |revision| Submit {
        checked: revision,
        ..world.request()
    };
    let known = Submit {
        checked: Some(1),
        ..world.request_with_key("k")
    };
    let answers = world
        .submit(&[checked(None), checked(Some(7)), checked(Some(1)), known.clone()])
        .await;
    assert_eq!(
        answers[..2],
        [
            Submitted::Unchecked { revision: 1 },
            Submitted::Unchecked { revision: 1 }
        ]
    );
    assert!(matches!(
        answers[2..],
        [Submitted::Accepted(_), Submitted::Accepted(_)]
    ));
    // A producer that asks again gets its execution, whatever schema has come since.
    let again = Submit {
        checked: None,
        ..world.request_with_key("k")
    };
    assert_eq!(world.submit(&[again]).await, [Submitted::Known(known.id)]);
}

pub(crate) async fn a_deadline_begins_with_the_first_claim_and_nothing_moves_it(db: &TestDatabase) {
    let world = World::new(db).await;
    world.change_workflow("timeout_ms = 60000").await;
    let id = world.pending().await;
    assert_eq!(world.column(&id, "deadline").await, None);
    let first = world
        .claim_for(&[(id.clone(), 0)], Duration::ZERO)
        .await
        .remove(0);
    world.reap(&id).await;
    // A confirm looks again in five minutes, a deadline comes sooner.
    world
        .protocol()
        .confirm(System, &[(id.clone(), 1)])
        .await
        .unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 60.0));
    let second = world.claim(&[(id.clone(), 1)]).await.remove(0);
    assert_eq!(first.deadline, second.deadline);
    assert!(first.deadline.is_some());
    let long = Suspend {
        wake_at: Some(second.now + TimeDelta::days(1)),
        ..suspension(&id, 2)
    };
    world.protocol().suspend(System, &[long]).await.unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 60.0));
}

pub(crate) async fn what_waits_for_a_message_alone_wakes_for_its_deadline(db: &TestDatabase) {
    let world = World::new(db).await;
    world.change_workflow("timeout_ms = 60000").await;
    let id = world.waiting().await;
    assert!(raw::about(world.wakes_in(&id).await, 60.0));
    let sql = format!("UPDATE executions SET deadline = wake_at WHERE id = '{id}'");
    raw::make_due(db, &id, 1).await;
    raw::execute(db, &sql).await;
    let error = r#"{"code":"timeout","message":"late"}"#.to_owned();
    let due = world
        .relay_one(&id, Wake::Expire { error: error.clone() })
        .await
        .unwrap();
    assert!(due.expired);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Failed, 1));
    assert_eq!(world.losses(&id).await, 0);
    assert_eq!(world.column(&id, "error").await, Some(error));
    // One without a deadline never expires.
    let timeless = World::new(db).await.pending().await;
    raw::make_due(db, &timeless, 1).await;
    let due = world
        .relay_one(&timeless, Wake::Publish { again_in: LATER })
        .await
        .unwrap();
    assert!(!due.expired);
}

pub(crate) async fn an_inbox_holds_so_much_and_no_more(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let deliver = async |key| {
        world
            .protocol()
            .deliver(&world.tenant, &Actor::OPERATOR, &message(&id, key), 2)
            .await
            .unwrap()
    };
    assert_eq!(deliver("a").await, Delivered::Yes);
    assert_eq!(deliver("b").await, Delivered::Yes);
    assert_eq!(deliver("c").await, Delivered::Full);
    assert_eq!(deliver("a").await, Delivered::Known);
    assert_eq!(world.watch(&id).await.inbox, 2);
    // The ends of children take nobody's place.
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    world.cancel(&child).await;
    let letter = message(&parent, "a");
    let delivered = world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, &letter, 1)
        .await;
    assert_eq!(delivered.unwrap(), Delivered::Yes);
}
