use futures_util::future::join_all;
use gristmill_core::{ChildEnd, ExecutionId, ExecutionStatus};
use gristmill_store::{Actor, Cancelled, ChildStarted, Held, Suspend, Suspended, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, MAX_MESSAGES, World, append, chunk, completion, failing, message, suspension};

pub(crate) async fn whatever_is_unfinished_can_be_cancelled(db: &TestDatabase) {
    let world = World::new(db).await;
    let all = [
        world.pending().await,
        world.running().await,
        world.waiting().await,
    ];
    for id in all {
        assert_eq!(world.cancel(&id).await, Cancelled::Yes(1));
        assert_eq!(world.stands(&id).await.0, ExecutionStatus::Cancelled);
        assert_eq!(world.wakes_in(&id).await, None);
        assert!(world.column(&id, "completed_at").await.is_some());
        assert_eq!(world.cancel(&id).await, Cancelled::Already);
    }
}

pub(crate) async fn what_has_ended_is_not_cancelled(db: &TestDatabase) {
    let world = World::new(db).await;
    let (completed, failed) = (world.completed().await, world.failed().await);
    assert_eq!(
        world.cancel(&completed).await,
        Cancelled::Ended(ExecutionStatus::Completed)
    );
    assert_eq!(
        world.cancel(&failed).await,
        Cancelled::Ended(ExecutionStatus::Failed)
    );
    assert_eq!(world.stands(&failed).await.0, ExecutionStatus::Failed);
    assert_eq!(world.cancel(&ExecutionId::new()).await, Cancelled::Unknown);
}

pub(crate) async fn another_organizations_execution_is_not_cancelled(db: &TestDatabase) {
    let (ours, theirs) = (World::new(db).await, World::new(db).await);
    let id = theirs.running().await;
    assert_eq!(ours.cancel(&id).await, Cancelled::Unknown);
    assert_eq!(theirs.stands(&id).await, (ExecutionStatus::Running, 1));
}

pub(crate) async fn a_cancelled_execution_takes_nothing_from_its_holder(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world.cancel(&id).await;
    let protocol = world.protocol();
    assert_eq!(
        protocol.append(System, &[append(&id, 1, "[1]")]).await.unwrap(),
        [Held::No]
    );
    assert_eq!(world.settle(&[completion(&id, 1)]).await, [Held::No]);
    assert_eq!(
        protocol.suspend(System, &[suspension(&id, 1)]).await.unwrap(),
        [Suspended::No]
    );
    assert_eq!(
        protocol.release(System, &[append(&id, 1, "[1]")]).await.unwrap(),
        [Held::No]
    );
    assert_eq!(
        world.start_child(&world.child_request(&id, "sub")).await,
        ChildStarted::Lost
    );
    assert_eq!(
        protocol.renew(System, &[(id.clone(), 1)], LATER).await.unwrap(),
        []
    );
    assert!(world.bodies(&id).await.is_empty());
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Cancelled, 1));
}

pub(crate) async fn a_cancel_takes_the_whole_tree_and_nothing_beside_it(db: &TestDatabase) {
    let world = World::new(db).await;
    let root = world.running().await;
    let child = world.child_of(&root, "a").await;
    world.claim(&[(child.clone(), 0)]).await;
    let grandchild = world.child_of(&child, "a").await;
    let done = world.child_of(&root, "b").await;
    world.claim(&[(done.clone(), 0)]).await;
    let below_failed = world.child_of(&done, "a").await;
    world
        .settle(&[gristmill_store::Settle {
            is_child: true,
            ..failing(&done, 1)
        }])
        .await;
    let other = world.running().await;
    assert_eq!(world.cancel(&root).await, Cancelled::Yes(4));
    for id in [&root, &child, &grandchild, &below_failed] {
        assert_eq!(world.stands(id).await.0, ExecutionStatus::Cancelled, "{id}");
    }
    assert_eq!(world.stands(&done).await.0, ExecutionStatus::Failed);
    assert_eq!(world.stands(&other).await.0, ExecutionStatus::Running);
    // Nobody is told of children that were cancelled with it.
    assert_eq!(world.messages_of(&root).await.len(), 1);
    assert!(world.messages_of(&child).await.is_empty());
}

pub(crate) async fn a_cancelled_child_is_a_message_for_its_parent(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    let asleep = [suspension(&parent, 1)];
    world.protocol().suspend(System, &asleep).await.unwrap();
    assert_eq!(world.cancel(&child).await, Cancelled::Yes(1));
    assert_eq!(world.stands(&parent).await, (ExecutionStatus::Pending, 1));
    assert_eq!(
        world.messages_of(&parent).await,
        [(
            format!("child:{child}"),
            serde_json::to_string(&ChildEnd::Cancelled).unwrap()
        )]
    );
}

/// Case 52: a cancel at the same moment as everything else that can happen to an execution. Whoever is first, it ends
/// once, and nothing leads away from that end.
pub(crate) async fn a_cancel_and_any_other_step_at_once_end_the_execution_once(db: &TestDatabase) {
    let world = World::new(db).await;
    for round in 0..8 {
        let (claimed, settled, failed, suspended, released, signalled, parent, reaped) = (
            world.pending().await,
            world.running().await,
            world.running().await,
            world.running().await,
            world.running().await,
            world.waiting().await,
            world.running().await,
            world.running().await,
        );
        raw::make_due(db, &reaped, 1).await;
        let (jobs, asleep, back) = (
            [(claimed.clone(), 0)],
            [Suspend {
                chunk: chunk("[1]"),
                ..suspension(&suspended, 1)
            }],
            [append(&released, 1, "[1]")],
        );
        let (end, broken, letter, request) = (
            [completion(&settled, 1)],
            [failing(&failed, 1)],
            message(&signalled, "k"),
            world.child_request(&parent, "sub"),
        );
        let protocol = world.protocol();
        let steps = async {
            tokio::join!(
                world.claim(&jobs),
                world.settle(&end),
                world.settle(&broken),
                protocol.suspend(System, &asleep),
                protocol.release(System, &back),
                protocol.deliver(&world.tenant, &Actor::OPERATOR, &letter, MAX_MESSAGES),
                world.start_child(&request),
                world.relay_one(&reaped, Wake::Reap { again_in: LATER }),
            )
        };
        let ids = [
            &claimed, &settled, &failed, &suspended, &released, &signalled, &parent, &reaped,
        ];
        let cancels = join_all(ids.map(|id| world.cancel(id)));
        let (cancelled, done) = if round % 2 == 0 {
            tokio::join!(cancels, steps)
        } else {
            let (done, cancelled) = tokio::join!(steps, cancels);
            (cancelled, done)
        };
        for (id, cancelled) in ids.into_iter().zip(&cancelled) {
            let status = world.stands(id).await.0;
            match cancelled {
                Cancelled::Yes(_) => assert_eq!(status, ExecutionStatus::Cancelled, "{id}"),
                Cancelled::Ended(ended) => assert_eq!(status, *ended, "{id}"),
                other => panic!("{id}: {other:?}"),
            }
        }
        // Whoever settled first was told so, and the other was not.
        assert_eq!(done.1 == [Held::Yes], cancelled[1] != Cancelled::Yes(1));
        assert_eq!(done.2 == [Held::Yes], cancelled[2] != Cancelled::Yes(1));
        // A child that was started is cancelled with its parent, or was never there.
        match done.6 {
            ChildStarted::Yes(child) => {
                assert_eq!(cancelled[6], Cancelled::Yes(2));
                assert_eq!(world.stands(&child).await.0, ExecutionStatus::Cancelled);
            }
            ChildStarted::Lost => assert_eq!(cancelled[6], Cancelled::Yes(1)),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn a_family_that_ends_and_is_cancelled_at_once_never_deadlocks(db: &TestDatabase) {
    let world = World::new(db).await;
    for _ in 0..10 {
        let root = world.running().await;
        let mut children = Vec::new();
        for number in 0..6 {
            children.push(world.child_of(&root, &number.to_string()).await);
        }
        let jobs: Vec<_> = children.iter().map(|id| (id.clone(), 0)).collect();
        world.claim(&jobs).await;
        let ends: Vec<_> = children
            .iter()
            .map(|id| gristmill_store::Settle {
                is_child: true,
                ..completion(id, 1)
            })
            .collect();
        let (settled, cancelled) = tokio::join!(
            join_all(ends.chunks(2).map(|part| world.settle(part))),
            world.cancel(&root)
        );
        let ended = settled
            .iter()
            .flatten()
            .filter(|held| **held == Held::Yes)
            .count();
        assert_eq!(cancelled, Cancelled::Yes(1 + children.len() - ended));
        assert_eq!(world.messages_of(&root).await.len(), ended);
        assert_eq!(world.watch(&root).await.inbox as usize, ended);
    }
}
