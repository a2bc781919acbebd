use futures_util::future::join_all;
use gristmill_core::{ExecutionStatus, Totals};
use gristmill_store::{Ending, Held, Settle, System};
use gristmill_testkit::TestDatabase;

use crate::raw::column;
use crate::world::{World, chunk, completion};

pub(crate) async fn a_completed_execution_has_its_output_and_no_clock(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let output = "{\"a\":\"\\u0000 😀\"}";
    let member = Settle {
        chunk: chunk("[1]"),
        ending: Ending::Completed {
            output: output.to_owned(),
        },
        totals: Totals {
            nodes_executed: 3,
            tokens_used: 1 << 40,
            cost_micros: 1 << 41,
        },
        ..completion(&id, 1)
    };
    assert_eq!(
        world.protocol().settle(System, &[member]).await.unwrap(),
        [Held::Yes]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Completed, 1));
    assert_eq!(column(db, &id, "output").await.as_deref(), Some(output));
    assert_eq!(column(db, &id, "error").await, None);
    assert_eq!(column(db, &id, "nodes_executed").await.as_deref(), Some("3"));
    assert_eq!(
        column(db, &id, "tokens_used").await,
        Some((1_i64 << 40).to_string())
    );
    assert_eq!(
        column(db, &id, "cost_micros").await,
        Some((1_i64 << 41).to_string())
    );
    assert!(column(db, &id, "completed_at").await.is_some());
    assert_eq!(column(db, &id, "wake_at").await, None);
    assert_eq!(world.bodies(&id).await, ["[1]"]);
}

pub(crate) async fn a_failed_execution_has_its_error_and_no_clock(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let error = r#"{"code":"node_failed","message":"no"}"#;
    let member = Settle {
        ending: Ending::Failed {
            error: error.to_owned(),
        },
        ..completion(&id, 1)
    };
    assert_eq!(
        world.protocol().settle(System, &[member]).await.unwrap(),
        [Held::Yes]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Failed, 1));
    assert_eq!(column(db, &id, "error").await.as_deref(), Some(error));
    assert_eq!(column(db, &id, "output").await, None);
    assert!(column(db, &id, "completed_at").await.is_some());
    assert_eq!(column(db, &id, "wake_at").await, None);
}

pub(crate) async fn a_second_settle_changes_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.completed().await;
    let before = column(db, &id, "completed_at").await;
    let again = Settle {
        ending: failure(),
        chunk: chunk("[1]"),
        ..completion(&id, 1)
    };
    assert_eq!(
        world.protocol().settle(System, &[again]).await.unwrap(),
        [Held::No]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Completed, 1));
    assert_eq!(column(db, &id, "error").await, None);
    assert_eq!(column(db, &id, "completed_at").await, before);
    assert!(world.bodies(&id).await.is_empty());
}

pub(crate) async fn a_worker_that_lost_its_lease_settles_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, reaped) = (world.taken_over().await, world.running().await);
    world.reap(&reaped).await;
    let stale = [&id, &reaped].map(|id| Settle {
        chunk: chunk("[1]"),
        ..completion(id, 1)
    });
    assert_eq!(
        world.protocol().settle(System, &stale).await.unwrap(),
        [Held::No, Held::No]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 2));
    assert_eq!(world.stands(&reaped).await, (ExecutionStatus::Pending, 1));
    assert!(world.bodies(&id).await.is_empty());
    assert_eq!(
        world
            .protocol()
            .settle(System, &[completion(&id, 2)])
            .await
            .unwrap(),
        [Held::Yes]
    );
}

pub(crate) async fn of_two_settles_in_one_group_the_first_counts(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let members = [
        completion(&id, 1),
        Settle {
            ending: failure(),
            ..completion(&id, 1)
        },
    ];
    assert_eq!(
        world.protocol().settle(System, &members).await.unwrap(),
        [Held::Yes, Held::No]
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Completed, 1));
}

pub(crate) async fn of_eight_settles_at_once_one_counts(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    let member = [Settle {
        chunk: chunk("[1]"),
        ..completion(&id, 1)
    }];
    let answers = join_all((0..8).map(|_| world.protocol().settle(System, &member))).await;
    let counted = answers
        .into_iter()
        .filter(|answer| *answer.as_ref().unwrap() == [Held::Yes])
        .count();
    assert_eq!(counted, 1);
    assert_eq!(world.bodies(&id).await, ["[1]"]);
}

fn failure() -> Ending {
    Ending::Failed {
        error: "{}".to_owned(),
    }
}
