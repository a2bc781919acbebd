//! `Prefer: wait`: a producer that would rather wait for the end.

use std::time::Instant;

use gristmill_testkit::TestDatabase;
use reqwest::Method;

use crate::world::{Answer, World, completed, execute_path, send};

async fn execute(world: &World, path: &str, prefer: &str) -> Answer {
    let request = world.request(Method::POST, path).header("prefer", prefer);
    send(request.header("idempotency-key", "order-1")).await
}

pub(crate) async fn a_wait_that_runs_out_answers_202(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let began = Instant::now();
    let answer = execute(&world, &path, "wait=1").await;
    assert!(began.elapsed().as_millis() >= 1_000);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.header("preference-applied"), Some("wait=1"));
    assert_eq!(answer.json()["execution"]["status"], "PENDING");
}

/// Submits and waits, while a worker that is played here finishes whatever is there.
async fn finished_while_waiting(world: &World, path: &str) -> Answer {
    let mut jobs = gristmill_queue::Broker::subscribe(&*world.broker, &["default".into()], 1).unwrap();
    let work = async {
        let delivery = jobs.next().await.unwrap();
        let job = gristmill_core::Job::from_bytes(&delivery.body).unwrap();
        world.finish(&job.execution_id, &[], completed()).await;
    };
    tokio::join!(execute(world, path, "wait=15"), work).0
}

pub(crate) async fn an_execution_that_ends_in_time_answers_200(database: TestDatabase) {
    let world = World::on(database).await;
    let answer = finished_while_waiting(&world, &execute_path(&world.workflow().await)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("preference-applied"), Some("wait=15"));
    assert!(answer.header("location").is_some());
    assert_eq!(answer.json()["execution"]["status"], "COMPLETED");
}

pub(crate) async fn a_known_key_can_be_waited_for(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let first = finished_while_waiting(&world, &path).await;
    let again = execute(&world, &path, "wait=15").await;
    assert_eq!((again.status, again.text), (200, first.text));
}

pub(crate) async fn a_wait_is_capped(database: TestDatabase) {
    let limits = gristmill_api::Options {
        max_wait: std::time::Duration::from_secs(1),
        ..crate::world::options()
    };
    let world = World::with(database, limits).await;
    let answer = execute(&world, &execute_path(&world.workflow().await), "wait=3600").await;
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (202, Some("wait=1"))
    );
}
