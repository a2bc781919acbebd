use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::{join, join_all};
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Due, Sweep, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, World};

const AGAIN: Duration = Duration::from_secs(120);

pub(crate) async fn publish_leaves_a_pending_execution_pending_and_unpublished(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    world
        .protocol()
        .confirm(System, &[(id.clone(), 0)])
        .await
        .unwrap();
    raw::make_due(db, &id, 60).await;
    let due = world
        .relay_one(&id, Wake::Publish { again_in: AGAIN })
        .await
        .unwrap();
    assert_eq!(
        (&due.job.execution_id, &due.job.organization_id),
        (&id, &world.tenant.0)
    );
    assert_eq!(
        (due.job.attempt, due.lane.as_str(), due.losses),
        (0, "default", 0)
    );
    assert_eq!((due.status, due.published), (ExecutionStatus::Pending, true));
    assert!(raw::about(Some(due.late.as_secs_f64()), 60.0));

    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&id).await, 120.0));
    assert!(!world.is_published(&id).await);
    // Still the same PENDING: its second confirm waits longer.
    world
        .protocol()
        .confirm(System, &[(id.clone(), 0)])
        .await
        .unwrap();
    assert!(raw::about(world.wakes_in(&id).await, 900.0));
}

pub(crate) async fn start_makes_a_waiting_execution_claimable(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.waiting().await;
    raw::make_due(db, &id, 1).await;
    let due = world
        .relay_one(&id, Wake::Start { again_in: AGAIN })
        .await
        .unwrap();
    assert_eq!(
        (due.status, due.published, due.job.attempt),
        (ExecutionStatus::Waiting, false, 1)
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&id).await, 120.0));
    assert_eq!(world.losses(&id).await, 0);
    assert!(!world.is_published(&id).await);
    assert_eq!(world.claim(&[(id, 1)]).await.len(), 1);
}

pub(crate) async fn reap_takes_the_lease_and_counts_a_loss(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    raw::make_due(db, &id, 1).await;
    let due = world
        .relay_one(&id, Wake::Reap { again_in: AGAIN })
        .await
        .unwrap();
    assert_eq!(
        (due.status, due.losses, due.job.attempt),
        (ExecutionStatus::Running, 0, 1)
    );
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&id).await, 120.0));
    assert_eq!(world.losses(&id).await, 1);
    assert!(!world.is_published(&id).await);
}

pub(crate) async fn pause_makes_a_lost_execution_wait(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    raw::make_due(db, &id, 1).await;
    world.relay_one(&id, Wake::Pause { pause: AGAIN }).await.unwrap();
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Waiting, 1));
    assert!(raw::about(world.wakes_in(&id).await, 120.0));
    assert_eq!(world.losses(&id).await, 1);
    assert_eq!(world.claim(&[(id, 1)]).await.len(), 0);
}

pub(crate) async fn fail_ends_the_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    raw::make_due(db, &id, 1).await;
    let error = r#"{"code":"worker_lost","message":"five workers were lost"}"#;
    world
        .relay_one(
            &id,
            Wake::Fail {
                error: error.to_owned(),
            },
        )
        .await
        .unwrap();
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Failed, 1));
    assert_eq!(raw::column(db, &id, "error").await.as_deref(), Some(error));
    assert_eq!(world.losses(&id).await, 1);
    assert_eq!(world.wakes_in(&id).await, None);
    assert!(raw::column(db, &id, "completed_at").await.is_some());
}

pub(crate) async fn leave_changes_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    raw::make_due(db, &id, 60).await;
    assert!(world.relay_one(&id, Wake::Leave).await.is_some());
    assert!(raw::about(world.wakes_in(&id).await, -60.0));
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 0));
}

pub(crate) async fn leases_are_left_alone_unless_reaping(db: &TestDatabase) {
    let world = World::new(db).await;
    let (running, pending) = (world.running().await, world.pending().await);
    for id in [&running, &pending] {
        raw::make_due(db, id, 60).await;
    }
    assert_eq!(relay(&world, 100, false).await, [pending]);
    assert_eq!(world.stands(&running).await, (ExecutionStatus::Running, 1));
    assert_eq!(relay(&world, 100, true).await, [running]);
}

pub(crate) async fn what_is_not_due_is_not_touched(db: &TestDatabase) {
    let world = World::new(db).await;
    let ids = [
        world.pending().await,
        world.running().await,
        world.waiting().await,
        world.completed().await,
    ];
    assert!(relay(&world, 100, true).await.is_empty());
    assert_eq!(world.stands(&ids[1]).await, (ExecutionStatus::Running, 1));
}

pub(crate) async fn the_most_overdue_come_first_and_no_more_than_the_limit(db: &TestDatabase) {
    let world = World::new(db).await;
    let ids = world.pending_group(3).await;
    for (id, seconds_ago) in ids.iter().zip([10, 30, 20]) {
        raw::make_due(db, id, seconds_ago).await;
    }
    assert_eq!(relay(&world, 2, true).await, [ids[1].clone(), ids[2].clone()]);
    assert_eq!(relay(&world, 2, true).await, [ids[0].clone()]);
}

pub(crate) async fn each_due_execution_gets_its_own_decision(db: &TestDatabase) {
    let world = World::new(db).await;
    let (published, started, reaped, paused, failed, left) = (
        world.pending().await,
        world.waiting().await,
        world.running().await,
        world.running().await,
        world.running().await,
        world.pending().await,
    );
    let ids = [&published, &started, &reaped, &paused, &failed, &left];
    for id in ids {
        raw::make_due(db, id, 1).await;
    }
    let wake = |id: &ExecutionId| match ids.iter().position(|other| *other == id).unwrap() {
        0 => Wake::Publish { again_in: AGAIN },
        1 => Wake::Start { again_in: AGAIN },
        2 => Wake::Reap { again_in: AGAIN },
        3 => Wake::Pause { pause: AGAIN },
        4 => Wake::Fail {
            error: "{}".to_owned(),
        },
        _ => Wake::Leave,
    };
    let decide = |due: &Due| wake(&due.job.execution_id);
    let acted = world
        .protocol()
        .relay(System, Sweep::all(100, true), &decide)
        .await
        .unwrap();
    assert_eq!(acted.len(), 6);
    assert!(
        acted
            .iter()
            .all(|(due, done)| *done == wake(&due.job.execution_id))
    );
    for (id, status) in [
        (&published, ExecutionStatus::Pending),
        (&started, ExecutionStatus::Pending),
        (&reaped, ExecutionStatus::Pending),
        (&paused, ExecutionStatus::Waiting),
        (&failed, ExecutionStatus::Failed),
        (&left, ExecutionStatus::Pending),
    ] {
        assert_eq!(world.stands(id).await.0, status);
    }
}

pub(crate) async fn five_relays_at_once_never_take_one_execution_twice(db: &TestDatabase) {
    let world = World::new(db).await;
    world.pending_group(300).await;
    let past = match raw::sqlite_path(db) {
        Some(_) => "wake_at - 60000000",
        None => "wake_at - interval '1 minute'",
    };
    raw::execute(db, &format!("UPDATE executions SET wake_at = {past}")).await;
    let mut taken = join_all((0..5).map(|_| async {
        let mut taken = Vec::new();
        for _ in 0..10 {
            taken.extend(relay(&world, 20, true).await);
        }
        taken
    }))
    .await
    .concat();
    // Whatever a relay skipped because another had it locked is left for the next round.
    taken.extend(relay(&world, 1000, true).await);
    assert_eq!(taken.len(), 300);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>().len(), 300);
}

/// Each failure is counted in a row that the other relay may have as well.
pub(crate) async fn relays_at_once_hand_failures_to_their_handlers(db: &TestDatabase) {
    let worlds = [World::new(db).await, World::new(db).await];
    for world in &worlds {
        let sql = format!(
            "UPDATE workflow_revisions SET on_failure = '{0}' WHERE workflow_id = '{0}'",
            world.workflow
        );
        raw::execute(db, &sql).await;
        let jobs: Vec<_> = world
            .pending_group(60)
            .await
            .into_iter()
            .map(|id| (id, 0))
            .collect();
        assert_eq!(world.claim(&jobs).await.len(), 60);
    }
    // What is most overdue belongs to one and the other in turn.
    let past = match raw::sqlite_path(db) {
        Some(_) => "wake_at - 60000000 - abs(random() % 1000000)",
        None => "wake_at - interval '1 minute' * (1 + random())",
    };
    raw::execute(db, &format!("UPDATE executions SET wake_at = {past}")).await;
    let decide = |due: &Due| match due.status {
        ExecutionStatus::Running => Wake::Expire {
            error: r#"{"code":"timeout","message":"no"}"#.to_owned(),
        },
        _ => Wake::Leave,
    };
    let relay = || worlds[0].protocol().relay(System, Sweep::all(60, true), &decide);
    let (one, other) = join(relay(), relay()).await;
    one.unwrap();
    other.unwrap();
    // Whatever one skipped because the other had it locked is left for the next round.
    relay().await.unwrap();
    let handlers = "SELECT CAST(count(*) AS text) AS value FROM executions WHERE on_failure_of IS NOT NULL";
    assert_eq!(raw::texts(db, handlers).await, [Some("120".to_owned())]);
    let counted = "SELECT CAST(sum(executions) AS text) AS value FROM usage_counters";
    assert_eq!(raw::texts(db, counted).await, [Some("240".to_owned())]);
}

/// One round that does the usual with everything due.
async fn relay(world: &World<'_>, limit: i64, reap: bool) -> Vec<ExecutionId> {
    let decide = |due: &Due| match due.status {
        ExecutionStatus::Running => Wake::Reap { again_in: LATER },
        ExecutionStatus::Waiting => Wake::Start { again_in: LATER },
        _ => Wake::Publish { again_in: LATER },
    };
    let acted = world
        .protocol()
        .relay(System, Sweep::all(limit, reap), &decide)
        .await
        .unwrap();
    acted.into_iter().map(|(due, _)| due.job.execution_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_goes_back_a_little_leaves_what_is_older_to_one_that_goes_all_the_way() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let (old, young) = (world.pending().await, world.pending().await);
    raw::make_due(&db, &old, 3_600).await;
    raw::make_due(&db, &young, 1).await;
    let found = async |back| {
        let sweep = Sweep {
            back,
            ..Sweep::all(10, true)
        };
        let acted = world.protocol().relay(System, sweep, &|_| Wake::Leave).await;
        let due = acted.unwrap().into_iter().map(|(due, _)| due.job.execution_id);
        due.collect::<Vec<_>>()
    };
    assert_eq!(
        found(Some(Duration::from_secs(60))).await,
        std::slice::from_ref(&young)
    );
    assert_eq!(found(None).await, [old, young]);
}
