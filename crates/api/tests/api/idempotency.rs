//! `Idempotency-Key`: a producer that repeats itself is answered, not obeyed twice.

use std::collections::HashSet;

use futures_util::future::join_all;
use gristmill_testkit::TestDatabase;
use reqwest::Method;

use crate::world::{Answer, World, completed, execute_path, send};

async fn execute(world: &World, path: &str, key: &str, body: &str) -> Answer {
    let request = world.request(Method::POST, path).header("idempotency-key", key);
    send(
        request
            .header("content-type", "application/json")
            .body(body.to_owned()),
    )
    .await
}

pub(crate) async fn the_same_key_again_answers_the_same_execution(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let first = execute(&world, &path, "order-1", r#"{"input":{"a":1,"b":[true]}}"#).await;
    assert_eq!(first.status, 202, "{first:?}");
    // The same in meaning: a producer may write its JSON anew for each try.
    let again = execute(&world, &path, "order-1", r#"{ "input": {"b": [true], "a": 1} }"#).await;
    assert_eq!((again.status, again.text), (202, first.text.clone()));

    world.finish(&first.execution_id(), &[], completed()).await;
    let late = execute(&world, &path, "order-1", r#"{"input":{"a":1,"b":[true]}}"#).await;
    assert_eq!((late.status, late.execution_id()), (202, first.execution_id()));
    assert_eq!(late.json()["execution"]["status"], "COMPLETED");

    let other = execute(&world, &path, "order-2", r#"{"input":{"a":1,"b":[true]}}"#).await;
    assert_ne!(other.execution_id(), first.execution_id());
}

pub(crate) async fn the_same_key_with_another_request_is_409(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let first = execute(&world, &path, "order-1", r#"{"input":{"a":1}}"#)
        .await
        .execution_id();
    let other_workflow = execute_path(&world.workflow().await);
    for (path, body) in [
        (&path, r#"{"input":{"a":2}}"#),
        (&path, "{}"),
        (&other_workflow, r#"{"input":{"a":1}}"#),
    ] {
        let body = execute(&world, path, "order-1", body)
            .await
            .problem(409, "idempotency-key-reused");
        assert!(
            body["detail"].as_str().unwrap().contains(first.as_str()),
            "{body}"
        );
    }
}

pub(crate) async fn twenty_at_once_with_one_key_make_one_execution(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let answers = join_all((0..20).map(|_| execute(&world, &path, "order-1", r#"{"input":{"a":1}}"#))).await;
    assert!(answers.iter().all(|answer| answer.status == 202), "{answers:#?}");
    let ids: HashSet<_> = answers.iter().map(Answer::execution_id).collect();
    assert_eq!(ids.len(), 1);
}

pub(crate) async fn a_key_that_is_none_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    for key in ["", "two words", "é", &"k".repeat(256)] {
        let answer = execute(&world, &path, key, "{}").await;
        assert_eq!(answer.problems()[0].1, "invalid_header", "{key:?}");
    }
    let twice = world
        .request(Method::POST, &path)
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    assert_eq!(send(twice).await.problems()[0].1, "invalid_header");
    assert_eq!(execute(&world, &path, &"k".repeat(255), "{}").await.status, 202);
}
