//! Dead letters: they are counted, or parked.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, Job};
use gristmill_dispatch::{DeadLetters, Next, Task};
use gristmill_queue::{Broker, InProcess, InProcessOptions, Outgoing};
use gristmill_store::{Due, Sweep, System, Wake};
use gristmill_testkit::TestDatabase;
use tokio::time::timeout;

use crate::raw;
use crate::world::{World, run};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn a_dead_letter_is_counted_as_a_loss(db: TestDatabase) {
    let world = World::on(db).await;
    let broker = broker();
    let mut task = DeadLetters::new(world.protocol(), broker.clone());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    let id = dead_letter(&world, &*broker).await;
    timeout(PATIENCE, task.woken()).await.unwrap();
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(losses(&world).await, [(id, 1)]);
}

pub(crate) async fn a_dead_letter_waits_for_a_database_that_is_away(db: TestDatabase) {
    let world = World::on(db).await;
    let broker = broker();
    let mut task = DeadLetters::new(world.protocol(), broker.clone());
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    let id = dead_letter(&world, &*broker).await;
    timeout(PATIENCE, task.woken()).await.unwrap();
    raw::execute(&world.db, "ALTER TABLE executions RENAME TO away").await;
    for _ in 0..2 {
        run(&mut task).await.unwrap_err();
    }
    raw::execute(&world.db, "ALTER TABLE away RENAME TO executions").await;
    assert_eq!(run(&mut task).await.unwrap(), Next::Later);
    assert_eq!(losses(&world).await, [(id, 1)]);
}

fn broker() -> Arc<dyn Broker> {
    Arc::new(InProcess::new(InProcessOptions::new(vec!["default".into()])))
}

/// An execution whose job was refused by a worker.
async fn dead_letter(world: &World, broker: &dyn Broker) -> ExecutionId {
    let id = world.submit(&world.workflow).await;
    let job = Job {
        execution_id: id.clone(),
        organization_id: world.tenant.0.clone(),
        attempt: 0,
    };
    let outgoing = Outgoing {
        lane: "default".into(),
        job,
    };
    let mut subscription = broker.subscribe(&["default".into()], 1).unwrap();
    broker.publish(vec![outgoing]).await.unwrap();
    let delivery = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap();
    delivery.reject().await;
    id
}

/// What is due, with its losses. What was counted is; what was submitted a moment ago is not yet.
async fn losses(world: &World) -> Vec<(ExecutionId, i32)> {
    let leave = |_: &Due| Wake::Leave;
    let due = world
        .protocol()
        .relay(System, Sweep::all(10, false), &leave)
        .await;
    let due = due.unwrap().into_iter();
    due.map(|(due, _)| (due.job.execution_id, due.losses)).collect()
}
