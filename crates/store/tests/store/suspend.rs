use chrono::TimeDelta;
use gristmill_core::ExecutionStatus;
use gristmill_store::{Actor, Delivered, Held, Suspend, Suspended, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{MAX_MESSAGES, World, append, chunk, message, suspension};

pub(crate) async fn a_suspended_execution_waits_for_its_time(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let wake_at = db.store().now().await.unwrap() + TimeDelta::seconds(90);
    let member = Suspend {
        chunk: chunk("[1]"),
        wake_at: Some(wake_at),
        ..suspension(&id, 1)
    };
    assert_eq!(
        world.protocol().suspend(System, &[member]).await.unwrap(),
        [Suspended::Yes]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Waiting, 1));
    assert!(raw::about(world.wakes_in(&id).await, 90.0));
    assert_eq!(world.bodies(&id).await, ["[1]"]);
    // It is nobody's now.
    assert_eq!(
        world
            .protocol()
            .append(System, &[append(&id, 1, "[2]")])
            .await
            .unwrap(),
        [Held::No]
    );
    assert_eq!(world.claim(&[(id, 1)]).await.len(), 0);
}

pub(crate) async fn a_suspended_execution_may_wait_for_a_message_alone(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.waiting().await;
    assert_eq!(world.wakes_in(&id).await, None);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Waiting, 1));
}

pub(crate) async fn a_suspend_is_refused_when_a_message_has_come(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, &message(&id, "k"), MAX_MESSAGES)
        .await
        .unwrap();
    let asleep = Suspend {
        chunk: chunk("[1]"),
        ..suspension(&id, 1)
    };
    let answers = world
        .protocol()
        .suspend(System, std::slice::from_ref(&asleep))
        .await
        .unwrap();
    assert_eq!(answers, [Suspended::MessageArrived]);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 1));
    assert!(raw::about(world.wakes_in(&id).await, 15.0));
    assert!(world.bodies(&id).await.is_empty());
    assert_eq!(world.watch(&id).await.journal_len, 0);

    let folded = Suspend { inbox: 1, ..asleep };
    assert_eq!(
        world.protocol().suspend(System, &[folded]).await.unwrap(),
        [Suspended::Yes]
    );
    assert_eq!(world.bodies(&id).await, ["[1]"]);
}

pub(crate) async fn a_worker_that_lost_its_lease_suspends_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, signalled, ended) = (
        world.taken_over().await,
        world.taken_over().await,
        world.completed().await,
    );
    world
        .protocol()
        .deliver(
            &world.tenant,
            &Actor::OPERATOR,
            &message(&signalled, "k"),
            MAX_MESSAGES,
        )
        .await
        .unwrap();
    let members = [&id, &signalled, &ended].map(|id| Suspend {
        chunk: chunk("[1]"),
        ..suspension(id, 1)
    });
    assert_eq!(
        world.protocol().suspend(System, &members).await.unwrap(),
        [Suspended::No; 3]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 2));
    assert_eq!(world.stands(&signalled).await, (ExecutionStatus::Running, 2));
    assert_eq!(world.stands(&ended).await, (ExecutionStatus::Completed, 1));
    assert!(world.bodies(&id).await.is_empty());
}

pub(crate) async fn a_message_and_a_suspend_at_once_never_leave_the_message_unread(db: &TestDatabase) {
    let world = World::new(db).await;
    for _ in 0..20 {
        let id = world.running().await;
        let (member, message) = ([suspension(&id, 1)], message(&id, "k"));
        let (suspended, delivered) = tokio::join!(
            world.protocol().suspend(System, &member),
            world
                .protocol()
                .deliver(&world.tenant, &Actor::OPERATOR, &message, MAX_MESSAGES)
        );
        assert_eq!(delivered.unwrap(), Delivered::Yes);
        let status = world.stands(&id).await.0;
        match suspended.unwrap()[0] {
            Suspended::Yes => assert_eq!(
                status,
                ExecutionStatus::Pending,
                "the message came after and wakes it"
            ),
            Suspended::MessageArrived => {
                assert_eq!(status, ExecutionStatus::Running, "the message came first")
            }
            Suspended::No => panic!("the holder holds"),
        }
    }
}
