//! Outages: what a client sees while the database is away.

use std::time::Duration;

use gristmill_store::{Options as StoreOptions, Store};
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::world::{Answer, BASE, World, execute_path, options, send, workflow};

/// A store whose server is not there.
fn nowhere() -> Store {
    let url = "postgres://nobody@127.0.0.1:1/nothing?sslmode=disable";
    Store::open(StoreOptions {
        connect_timeout: Duration::from_secs(1),
        ..StoreOptions::new(url)
    })
    .unwrap()
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let body = answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert!(
        body["detail"].as_str().unwrap().contains("a repeat is safe"),
        "{body}"
    );
    assert!(!answer.text.contains("127.0.0.1"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_never_there_is_503() {
    let world = World::over(nowhere(), options()).await;
    assert_unavailable(&world.get(&format!("{BASE}/workflows/wf_1")).await);
    assert_unavailable(&world.post(&format!("{BASE}/workflows"), &workflow()).await);
    // What needs no database is answered all the same.
    assert_eq!(world.get("/healthz").await.status, 200);
    world.get("/nowhere").await.problem(404, "unknown-route");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_a_database_that_is_away() {
    let world = World::over(nowhere(), options()).await;
    let body = world.get("/readyz").await.problem(503, "not-ready");
    assert_eq!(body["detail"], "No answer from: database.");
}

/// Dropped under the API's connections; SQLite has no server that could go.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_is_503() {
    let mut world = World::on(TestDatabase::postgres().await).await;
    let path = execute_path(&world.workflow().await);
    let database = world.database.take();
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
    // The key is still remembered, so each of these gets as far as its own statement.
    let submit = world
        .request(Method::POST, &path)
        .header("idempotency-key", "order-1")
        .json(&json!({}));
    for request in [
        submit,
        world
            .request(Method::POST, &format!("{BASE}/workflows"))
            .json(&workflow()),
    ] {
        let answer = send(request).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, Some("2")),
            "{answer:?}"
        );
    }
    assert_unavailable(&world.get(&format!("{BASE}/workflows/wf_1")).await);
}
