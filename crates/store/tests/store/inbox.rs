use std::time::Duration;

use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Actor, Delivered, Held, InboxMessage, Received, Settle, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{MAX_MESSAGES, World, completion, message};

pub(crate) async fn messages_are_read_in_the_order_of_their_arrival(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let body = "{\"text\":\"\\u0000 😀\"}";
    for (key, name) in [("b", "first"), ("a", "second"), ("c", "third")] {
        let message = InboxMessage {
            name: name.to_owned(),
            body: body.to_owned(),
            ..message(&id, key)
        };
        assert_eq!(deliver(&world, &message).await, Delivered::Yes);
    }
    let received = |seq, name: &str| Received {
        seq,
        name: name.to_owned(),
        body: body.to_owned(),
    };
    let all = [received(1, "first"), received(2, "second"), received(3, "third")];
    assert_eq!(world.protocol().inbox(System, &id, 0).await.unwrap(), all);
    assert_eq!(world.protocol().inbox(System, &id, 2).await.unwrap(), all[2..]);
    assert_eq!(
        world
            .protocol()
            .inbox(System, &ExecutionId::new(), 0)
            .await
            .unwrap(),
        []
    );
}

pub(crate) async fn a_message_wakes_a_waiting_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.waiting().await;
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Yes);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&id).await, 0.0));
    assert!(!world.is_published(&id).await);
    assert_eq!(world.claim(&[(id, 1)]).await[0].inbox, 1);
}

pub(crate) async fn a_message_to_a_running_execution_leaves_its_lease_alone(db: &TestDatabase) {
    let world = World::new(db).await;
    let (running, pending) = (world.running().await, world.pending().await);
    for id in [&running, &pending] {
        assert_eq!(deliver(&world, &message(id, "k")).await, Delivered::Yes);
        assert_eq!(world.watch(id).await.inbox, 1);
    }
    assert_eq!(world.stands(&running).await, (ExecutionStatus::Running, 1));
    assert!(raw::about(world.wakes_in(&running).await, 15.0));
    assert_eq!(world.stands(&pending).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&pending).await, 30.0));
}

pub(crate) async fn the_same_key_twice_is_one_message(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, other) = (world.running().await, world.running().await);
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Yes);
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Known);
    assert_eq!(deliver(&world, &message(&other, "k")).await, Delivered::Yes);
    assert_eq!(world.watch(&id).await.inbox, 1);
    let inbox = world.protocol().inbox(System, &id, 0).await.unwrap();
    assert_eq!(
        inbox
            .iter()
            .map(|message| message.body.as_str())
            .collect::<Vec<_>>(),
        ["{}"]
    );
}

pub(crate) async fn the_same_key_for_another_message_is_refused(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Yes);
    let body = InboxMessage {
        body: "[]".to_owned(),
        ..message(&id, "k")
    };
    let name = InboxMessage {
        name: "stop".to_owned(),
        ..message(&id, "k")
    };
    for other in [&body, &name] {
        assert_eq!(deliver(&world, other).await, Delivered::KeyReused);
    }
    assert_eq!(world.messages_of(&id).await, [("go".to_owned(), "{}".to_owned())]);
    assert_eq!(world.watch(&id).await.inbox, 1);
    // Nor once nobody reads it any more.
    world.settle(&[completion(&id, 1)]).await;
    assert_eq!(deliver(&world, &body).await, Delivered::KeyReused);
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Known);
}

pub(crate) async fn a_message_leaves_the_pause_after_lost_workers_alone(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let child = world.child_of(&id, "sub").await;
    world.claim(&[(child.clone(), 0)]).await;
    raw::make_due(db, &id, 1).await;
    let pause = Duration::from_secs(600);
    world.relay_one(&id, Wake::Pause { pause }).await.unwrap();
    let clock = world.column(&id, "wake_at").await;
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Yes);
    let end = Settle {
        is_child: true,
        ..completion(&child, 1)
    };
    assert_eq!(world.settle(&[end]).await, [Held::Yes]);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Waiting, 1));
    assert_eq!(world.column(&id, "wake_at").await, clock);
    assert_eq!(world.watch(&id).await.inbox, 2);
    assert_eq!(world.messages_of(&id).await.len(), 2);
}

pub(crate) async fn of_eight_deliveries_of_one_key_at_once_one_arrives(db: &TestDatabase) {
    let world = World::new(db).await;
    let message = message(&world.waiting().await, "k");
    let answers = join_all((0..8).map(|_| deliver(&world, &message))).await;
    assert_eq!(
        answers.iter().filter(|answer| **answer == Delivered::Yes).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Delivered::Known)
            .count(),
        7,
        "{answers:?}"
    );
    assert_eq!(world.watch(&message.execution_id).await.inbox, 1);
}

pub(crate) async fn messages_sent_at_once_are_numbered_without_gaps(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let messages: Vec<_> = (0..8).map(|key| message(&id, &key.to_string())).collect();
    let answers = join_all(messages.iter().map(|message| deliver(&world, message))).await;
    assert_eq!(answers, [Delivered::Yes; 8]);
    let inbox = world.protocol().inbox(System, &id, 0).await.unwrap();
    assert_eq!(
        inbox.iter().map(|message| message.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7, 8]
    );
    assert_eq!(world.watch(&id).await.inbox, 8);
}

pub(crate) async fn a_message_for_another_organizations_execution_finds_nobody(db: &TestDatabase) {
    let (ours, theirs) = (World::new(db).await, World::new(db).await);
    let id = theirs.waiting().await;
    assert_eq!(
        deliver(&ours, &message(&id, "k")).await,
        Delivered::UnknownExecution
    );
    assert_eq!(
        deliver(&ours, &message(&ExecutionId::new(), "k")).await,
        Delivered::UnknownExecution
    );
    assert_eq!(theirs.stands(&id).await, (ExecutionStatus::Waiting, 1));
    assert_eq!(theirs.watch(&id).await.inbox, 0);
}

pub(crate) async fn a_message_for_an_ended_execution_is_refused_unless_it_is_known(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Yes);
    world
        .protocol()
        .settle(System, &[completion(&id, 1)])
        .await
        .unwrap();
    assert_eq!(deliver(&world, &message(&id, "k")).await, Delivered::Known);
    assert_eq!(deliver(&world, &message(&id, "l")).await, Delivered::Ended);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Completed, 1));
    assert_eq!(world.watch(&id).await.inbox, 1);
}

async fn deliver(world: &World<'_>, message: &InboxMessage) -> Delivered {
    world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, message, MAX_MESSAGES)
        .await
        .unwrap()
}
