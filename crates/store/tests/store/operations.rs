use chrono::TimeDelta;
use futures_util::future::join_all;
use gristmill_core::journal::{Entry, FORMAT, read_chunk};
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Actor, Deleted, Keep, Replay, Replayed, Retention, Retried, System};
use gristmill_testkit::TestDatabase;
use std::time::Duration;

use crate::raw;
use crate::world::{MAX_MESSAGES, World, append, message};

pub(crate) async fn a_failed_execution_is_retried_once(db: &TestDatabase) {
    let world = World::new(db).await;
    world.change_workflow("timeout_ms = 60000").await;
    let id = world.running().await;
    world
        .protocol()
        .append(System, &[append(&id, 1, "[1]")])
        .await
        .unwrap();
    world.settle(&[crate::world::failing(&id, 1)]).await;
    let answers =
        join_all((0..4).map(|_| world.protocol().retry(&world.tenant, &Actor::OPERATOR, &id))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        answers.iter().filter(|answer| **answer == Retried::Yes).count(),
        1
    );
    assert!(answers.contains(&Retried::NotFailed(ExecutionStatus::Pending)));
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert!(raw::about(world.wakes_in(&id).await, 0.0));
    for (column, value) in [
        ("operator_retries", Some("1")),
        ("losses", Some("0")),
        ("error", None),
        ("completed_at", None),
        ("deadline", None),
    ] {
        assert_eq!(world.column(&id, column).await.as_deref(), value, "{column}");
    }
    // The journal says so, behind what it said before, and the length agrees.
    let bodies = world.bodies(&id).await;
    let entries = read_chunk(FORMAT, &bodies[1]).unwrap();
    assert!(
        matches!(entries[..], [Entry::Reopened { resume_at: None, .. }]),
        "{bodies:?}"
    );
    let claimed = world.claim(&[(id, 1)]).await.remove(0);
    assert_eq!(claimed.journal_len, 2);
    // Its time begins anew.
    let deadline = claimed.deadline.unwrap() - claimed.now;
    assert!(
        raw::about(Some(deadline.num_seconds() as f64), 60.0),
        "{deadline}"
    );
}

pub(crate) async fn only_what_failed_is_retried(db: &TestDatabase) {
    let world = World::new(db).await;
    let strangers = World::new(db).await;
    let (running, completed, failed) = (
        world.running().await,
        world.completed().await,
        world.failed().await,
    );
    let retry = async |world: &World<'_>, id| {
        world
            .protocol()
            .retry(&world.tenant, &Actor::OPERATOR, id)
            .await
            .unwrap()
    };
    assert_eq!(
        retry(&world, &running).await,
        Retried::NotFailed(ExecutionStatus::Running)
    );
    assert_eq!(
        retry(&world, &completed).await,
        Retried::NotFailed(ExecutionStatus::Completed)
    );
    assert_eq!(retry(&strangers, &failed).await, Retried::Unknown);
    assert_eq!(world.stands(&failed).await.0, ExecutionStatus::Failed);
    assert_eq!(world.stands(&running).await.0, ExecutionStatus::Running);
    assert!(world.bodies(&completed).await.is_empty());
    world.change_workflow("deleted_at = created_at").await;
    assert_eq!(
        retry(&world, &completed).await,
        Retried::NotFailed(ExecutionStatus::Completed)
    );
    assert_eq!(retry(&world, &failed).await, Retried::DeletedWorkflow);
}

pub(crate) async fn a_replay_runs_the_same_input_on_the_same_or_the_newest_revision(db: &TestDatabase) {
    let world = World::new(db).await;
    let original = world.completed().await;
    let sql = format!("UPDATE executions SET input = '{{\"a\":1.50}}' WHERE id = '{original}'");
    raw::execute(db, &sql).await;
    let sql = format!(
        "INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
         VALUES ('{}', '{}', 2, '{{}}')",
        world.tenant.0, world.workflow
    );
    raw::execute(db, &sql).await;
    world
        .change_workflow("revision = 2, lane = 'bulk', timeout_ms = 7")
        .await;
    for (newest, revision, lane, timeout) in [(None, 1, "default", None), (Some(2), 2, "bulk", Some("7"))] {
        let request = Replay {
            newest,
            ..replay(&original)
        };
        let Replayed::Accepted(accepted) = ask(&world, &request).await else {
            panic!()
        };
        assert_eq!(
            (accepted.id.clone(), accepted.revision, accepted.lane.as_str()),
            (request.id, revision, lane)
        );
        assert_eq!(world.stands(&accepted.id).await, (ExecutionStatus::Pending, 0));
        assert_eq!(
            world.column(&accepted.id, "input").await.as_deref(),
            Some(r#"{"a":1.50}"#)
        );
        assert_eq!(world.column(&accepted.id, "timeout_ms").await.as_deref(), timeout);
        assert_eq!(
            world.column(&accepted.id, "replay_of").await.as_deref(),
            Some(original.as_str())
        );
    }
    // Saved again between the caller's check and the insert.
    let late = Replay {
        newest: Some(1),
        ..replay(&original)
    };
    assert_eq!(ask(&world, &late).await, Replayed::OtherRevision);
}

pub(crate) async fn a_replay_is_refused_or_known_as_a_submit_is(db: &TestDatabase) {
    let world = World::new(db).await;
    let strangers = World::new(db).await;
    let original = world.completed().await;
    assert_eq!(ask(&strangers, &replay(&original)).await, Replayed::Unknown);
    assert_eq!(ask(&world, &replay(&ExecutionId::new())).await, Replayed::Unknown);
    let keyed = || Replay {
        idempotency_key: Some("k".to_owned()),
        ..replay(&original)
    };
    let requests: Vec<_> = (0..4).map(|_| keyed()).collect();
    let answers = join_all(requests.iter().map(|request| ask(&world, request))).await;
    let accepted = answers
        .iter()
        .filter(|answer| matches!(answer, Replayed::Accepted(_)))
        .count();
    let known = answers
        .iter()
        .filter(|answer| matches!(answer, Replayed::Known(_)))
        .count();
    assert_eq!((accepted, known), (1, 3), "{answers:?}");
    world.change_workflow("is_active = false").await;
    assert!(matches!(ask(&world, &keyed()).await, Replayed::Known(_)));
    let other = Replay {
        request_hash: "other".to_owned(),
        ..keyed()
    };
    assert!(matches!(ask(&world, &other).await, Replayed::KeyReused(_)));
    assert_eq!(ask(&world, &replay(&original)).await, Replayed::InactiveWorkflow);
}

pub(crate) async fn only_what_has_ended_is_deleted_and_all_of_it(db: &TestDatabase) {
    let world = World::new(db).await;
    let strangers = World::new(db).await;
    let id = world.running().await;
    world
        .protocol()
        .append(System, &[append(&id, 1, "[1]")])
        .await
        .unwrap();
    world
        .protocol()
        .deliver(&world.tenant, &Actor::OPERATOR, &message(&id, "k"), MAX_MESSAGES)
        .await
        .unwrap();
    assert_eq!(
        delete(&world, &id).await,
        Deleted::Unfinished(ExecutionStatus::Running)
    );
    world.cancel(&id).await;
    assert_eq!(delete(&strangers, &id).await, Deleted::Unknown);
    assert_eq!(delete(&world, &id).await, Deleted::Yes);
    assert_eq!(delete(&world, &id).await, Deleted::Unknown);
    for table in ["executions", "execution_journal", "execution_inbox"] {
        let count = format!("SELECT CAST(count(*) AS text) AS value FROM {table}");
        assert_eq!(raw::texts(db, &count).await, [Some("0".to_owned())], "{table}");
    }
}

pub(crate) async fn a_child_is_kept_for_as_long_as_its_parent_may_ask_for_it(db: &TestDatabase) {
    let world = World::new(db).await;
    let parent = world.running().await;
    let child = world.child_of(&parent, "sub").await;
    world.cancel(&child).await;
    age(&world, &child, 1_000).await;
    assert_eq!(delete(&world, &child).await, Deleted::ParentUnfinished);
    assert_eq!(prune(&world, DAY, 100).await, 0);
    world.cancel(&parent).await;
    assert_eq!(prune(&world, DAY, 100).await, 1);
    assert_eq!(delete(&world, &child).await, Deleted::Unknown);
    assert_eq!(delete(&world, &parent).await, Deleted::Yes);
}

pub(crate) async fn what_ended_long_ago_is_pruned_by_age_and_status(db: &TestDatabase) {
    let world = World::new(db).await;
    let (completed, failed, cancelled, young, waiting) = (
        world.completed().await,
        world.failed().await,
        world.waiting().await,
        world.completed().await,
        world.waiting().await,
    );
    world.cancel(&cancelled).await;
    for id in [&completed, &failed, &cancelled] {
        age(&world, id, 10).await;
    }
    let kept = |failed| Retention {
        completed: Keep::For(DAY * 9),
        failed,
        cancelled: Keep::Forever,
    };
    let prune = async |retention| world.protocol().prune(System, &retention, 100).await.unwrap();
    assert_eq!(prune(kept(Keep::For(DAY * 11))).await, 1);
    assert_eq!(prune(kept(Keep::For(DAY * 11))).await, 0);
    assert_eq!(prune(kept(Keep::For(DAY * 9))).await, 1);
    let sql = "SELECT id AS value FROM executions ORDER BY id";
    let mut left = [cancelled.to_string(), young.to_string(), waiting.to_string()].map(Some);
    left.sort();
    assert_eq!(raw::texts(db, sql).await, left);
}

pub(crate) async fn a_workflow_may_keep_its_executions_longer_or_shorter(db: &TestDatabase) {
    let (short, long) = (World::new(db).await, World::new(db).await);
    short.change_workflow("retain_completed_days = 2").await;
    long.change_workflow("retain_completed_days = 30").await;
    for world in [&short, &long] {
        let id = world.completed().await;
        age(world, &id, 10).await;
    }
    assert_eq!(prune(&short, DAY * 20, 100).await, 1);
    assert_eq!(prune(&short, DAY * 5, 100).await, 0);
    let sql = "SELECT workflow_id AS value FROM executions";
    assert_eq!(raw::texts(db, sql).await, [Some(long.workflow.to_string())]);
}

pub(crate) async fn pruners_at_once_take_no_more_than_their_limits(db: &TestDatabase) {
    let world = World::new(db).await;
    let ids = world.pending_group(30).await;
    for id in &ids {
        world.cancel(id).await;
        age(&world, id, 10).await;
    }
    assert_eq!(prune(&world, DAY, 7).await, 7);
    let pruned = join_all((0..5).map(|_| prune(&world, DAY, 7))).await;
    assert!(pruned.iter().all(|pruned| *pruned <= 7), "{pruned:?}");
    let mut left = 23 - pruned.iter().sum::<u64>();
    while left > 0 {
        left -= prune(&world, DAY, 7).await;
    }
    assert_eq!(prune(&world, DAY, 7).await, 0);
}

const DAY: Duration = Duration::from_secs(86_400);

fn replay(original: &ExecutionId) -> Replay {
    Replay {
        id: ExecutionId::new(),
        original: original.clone(),
        newest: None,
        idempotency_key: None,
        request_hash: "replay".to_owned(),
        monthly_limit: None,
    }
}

async fn ask(world: &World<'_>, replay: &Replay) -> Replayed {
    world
        .protocol()
        .replay(&world.tenant, &Actor::OPERATOR, replay)
        .await
        .unwrap()
}

async fn delete(world: &World<'_>, id: &ExecutionId) -> Deleted {
    world
        .protocol()
        .delete(&world.tenant, &Actor::OPERATOR, id)
        .await
        .unwrap()
}

async fn prune(world: &World<'_>, age: Duration, limit: i64) -> u64 {
    let retention = Retention {
        completed: Keep::For(age),
        failed: Keep::For(age),
        cancelled: Keep::For(age),
    };
    world.protocol().prune(System, &retention, limit).await.unwrap()
}

/// Makes an execution have ended so many days ago.
async fn age(world: &World<'_>, id: &ExecutionId, days: i64) {
    let ended = world.db.store().now().await.unwrap() - TimeDelta::days(days);
    let ended = match raw::sqlite_path(world.db) {
        Some(_) => ended.timestamp_micros().to_string(),
        None => format!("'{}'", ended.to_rfc3339()),
    };
    let sql = format!("UPDATE executions SET completed_at = {ended} WHERE id = '{id}'");
    raw::execute(world.db, &sql).await;
}
