use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{DeadLetter, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

const ERROR: &str = r#"{"code":"dead_lettered","message":"no worker could take it"}"#;

pub(crate) async fn a_dead_job_counts_one_loss_and_is_due_at_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let job = (world.pending().await, 0);
    world
        .protocol()
        .confirm(System, std::slice::from_ref(&job))
        .await
        .unwrap();
    assert_eq!(
        count(&world, std::slice::from_ref(&job), 5).await,
        [DeadLetter::Retried]
    );
    assert_eq!(world.losses(&job.0).await, 1);
    assert_eq!(world.stands(&job.0).await, (ExecutionStatus::Pending, 0));
    assert!(raw::about(world.wakes_in(&job.0).await, 0.0));
    assert!(!world.is_published(&job.0).await);
}

pub(crate) async fn a_dead_job_too_many_fails_the_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let job = [(world.pending().await, 0)];
    for _ in 0..2 {
        assert_eq!(count(&world, &job, 3).await, [DeadLetter::Retried]);
    }
    assert_eq!(count(&world, &job, 3).await, [DeadLetter::Failed]);
    assert_eq!(world.stands(&job[0].0).await, (ExecutionStatus::Failed, 0));
    assert_eq!(world.losses(&job[0].0).await, 3);
    assert_eq!(raw::column(db, &job[0].0, "error").await.as_deref(), Some(ERROR));
    assert_eq!(world.wakes_in(&job[0].0).await, None);
    assert_eq!(count(&world, &job, 3).await, [DeadLetter::Stale]);
}

pub(crate) async fn a_dead_job_that_the_execution_has_moved_past_is_stale(db: &TestDatabase) {
    let world = World::new(db).await;
    let (running, reaped) = (world.running().await, world.running().await);
    world.reap(&reaped).await;
    let jobs = [
        (running.clone(), 0),
        (running.clone(), 1),
        (reaped.clone(), 0),
        (world.waiting().await, 1),
        (world.completed().await, 1),
    ];
    assert_eq!(count(&world, &jobs, 1).await, [DeadLetter::Stale; 5]);
    assert_eq!(world.stands(&running).await, (ExecutionStatus::Running, 1));
    assert_eq!(world.stands(&reaped).await, (ExecutionStatus::Pending, 1));
    assert_eq!(
        (world.losses(&running).await, world.losses(&reaped).await),
        (0, 1)
    );
}

pub(crate) async fn each_dead_job_is_answered_for_itself(db: &TestDatabase) {
    let world = World::new(db).await;
    let worn = world.pending().await;
    raw::execute(
        db,
        &format!("UPDATE executions SET losses = 4 WHERE id = '{worn}'"),
    )
    .await;
    let fresh = world.pending().await;
    let jobs = [
        (ExecutionId::new(), 0),
        (worn.clone(), 0),
        (world.running().await, 0),
        (fresh.clone(), 0),
    ];
    let answers = count(&world, &jobs, 5).await;
    assert_eq!(
        answers,
        [
            DeadLetter::Unknown,
            DeadLetter::Failed,
            DeadLetter::Stale,
            DeadLetter::Retried
        ]
    );
    assert_eq!(world.stands(&worn).await.0, ExecutionStatus::Failed);
    assert_eq!(world.losses(&fresh).await, 1);
}

async fn count(world: &World<'_>, jobs: &[(ExecutionId, i32)], max_losses: i32) -> Vec<DeadLetter> {
    world
        .protocol()
        .count_dead_letters(System, jobs, max_losses, ERROR)
        .await
        .unwrap()
}
