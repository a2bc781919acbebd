//! `Prefer: wait`: a producer that would rather wait for the end.

use std::time::Instant;

use futures_util::future::join_all;
use gristmill_store::Ending;
use gristmill_testkit::TestDatabase;
use reqwest::Method;

use crate::world::{Answer, BASE, World, add_organization, completed, execute_path, send};

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

/// Submits and waits, while a worker that is played here completes whatever is there.
async fn finished_while_waiting(world: &World, path: &str) -> Answer {
    finished_while(world, execute(world, path, "wait=15")).await
}

async fn finished_while<T>(world: &World, waiting: impl Future<Output = T>) -> T {
    ended_while(world, waiting, completed()).await
}

async fn ended_while<T>(world: &World, waiting: impl Future<Output = T>, ending: Ending) -> T {
    let mut jobs = gristmill_queue::Broker::subscribe(&*world.broker, &["default".into()], 1).unwrap();
    let work = async {
        let delivery = jobs.next().await.unwrap();
        let job = gristmill_core::Job::from_bytes(&delivery.body).unwrap();
        world.finish(&job.execution_id, &[], ending).await;
    };
    tokio::join!(waiting, work).0
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

pub(crate) async fn a_minimal_answer_shows_how_it_ended_without_its_documents(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let answer = finished_while(&world, execute(&world, &path, "wait=15, return=minimal")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("preference-applied"),
        Some("wait=15, return=minimal")
    );
    let minimal = answer.json()["execution"].take();
    let mut full = world.get(answer.header("location").unwrap()).await.json()["execution"].take();
    assert_eq!(full["status"], "COMPLETED");
    let left_out = [
        "childrenTruncated",
        "children",
        "deadline",
        "input",
        "logsTruncated",
        "logs",
        "metadata",
        "onFailureOf",
        "operatorRetries",
        "output",
        "parent",
        "replayOf",
        "tags",
    ];
    for key in left_out {
        assert!(full.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    assert_eq!(minimal, full);
}

pub(crate) async fn a_minimal_answer_of_a_failed_execution_says_why(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let failed = Ending::Failed {
        error: r#"{"code":"node_failed","message":"no"}"#.to_owned(),
    };
    let waiting = execute(&world, &path, "wait=15, return=minimal");
    let answer = ended_while(&world, waiting, failed).await;
    let execution = answer.json()["execution"].take();
    assert_eq!((answer.status, &execution["status"]), (200, &"FAILED".into()));
    assert_eq!(execution["error"]["code"], "node_failed");
}

pub(crate) async fn a_minimal_answer_without_an_end_shows_what_was_recorded(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    for (prefer, applied) in [
        ("return=minimal", "return=minimal"),
        ("return=minimal, wait=1", "wait=1, return=minimal"),
    ] {
        let answer = send(world.request(Method::POST, &path).header("prefer", prefer)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.header("preference-applied"), Some(applied));
        let execution = answer.json()["execution"].take();
        assert_eq!(execution["status"], "PENDING");
        assert!(execution["createdAt"].is_string());
        assert_eq!(
            (execution.get("input"), execution.get("logs")),
            (None, None),
            "{execution}"
        );
    }
}

pub(crate) async fn all_who_wait_for_one_execution_are_answered(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let everyone = join_all((0..8).map(|_| execute(&world, &path, "wait=15, return=minimal")));
    let answers = finished_while(&world, everyone).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
}

pub(crate) async fn an_execution_that_was_submitted_earlier_can_be_waited_for(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let wait = |seconds: &str| {
        let request = world.request(Method::GET, &format!("{BASE}/executions/{id}"));
        send(request.header("prefer", format!("wait={seconds}, return=minimal")))
    };
    let early = wait("1").await;
    assert_eq!(early.json()["execution"]["status"], "PENDING");
    let answer = finished_while(&world, wait("15")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("preference-applied"),
        Some("wait=15, return=minimal")
    );
    let execution = &answer.json()["execution"];
    assert_eq!(
        (&execution["status"], execution.get("input")),
        (&"COMPLETED".into(), None)
    );
    // What has ended is not waited for.
    let whole = send(
        world
            .request(Method::GET, &format!("{BASE}/executions/{id}"))
            .header("prefer", "wait=15"),
    )
    .await;
    assert_eq!(whole.json()["execution"]["output"]["n"], 1);
}

pub(crate) async fn nobody_waits_for_another_organizations_execution(database: TestDatabase) {
    let mut world = World::on(database).await;
    let id = world.execution().await;
    world.key = add_organization(&world.store).await.1;
    let request = world.request(Method::GET, &format!("{BASE}/executions/{id}"));
    send(request.header("prefer", "wait=15"))
        .await
        .problem(404, "not-found");
}
