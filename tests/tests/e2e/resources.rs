//! Resources: processes that run out of something.

use futures_util::future::join_all;
use gristmill_core::journal::Entry;
use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use gristmill_tests::{Calls, SHORT_LEASE, System, chain, changed, eventually};
use serde_json::json;

/// Case 35: the only connection waits for a lock, and whoever comes meanwhile is told to come again; the workers do not
/// notice.
#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_pool_is_a_503_that_says_when_to_come_again() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let narrow = [
        ("database.pool_size", "1"),
        ("database.acquire_timeout", "500ms"),
        // The test, and not the server, decides how long the lock is held.
        ("database.lock_timeout", "1m"),
        ("database.statement_timeout", "1m"),
    ];
    let api = system.api_with(&narrow).await;
    let _worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let earlier = api.execute(&workflow, json!({"number": 0})).await;
    system.all_have_ended().await;
    let session = system.database.session().await.unwrap();
    session
        .batch_execute("BEGIN; LOCK TABLE workflows IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let (client, stuck) = (api.client.clone(), workflow.clone());
    let stuck = tokio::spawn(async move { client.try_execute(&stuck, Some("stuck"), json!({})).await });
    let refused = eventually("somebody finds no connection", async || {
        let answer = api.look_at(&format!("/executions/{earlier}")).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(refused.retry_after.as_deref(), Some("2"), "{refused:?}");

    session.batch_execute("COMMIT").await.unwrap();
    // Accepted, unless a background task of the API's own had the one connection; then a repeat is safe, and accepted.
    let stuck = stuck.await.unwrap().unwrap();
    assert!([202, 503].contains(&stuck.status), "{stuck:?}");
    eventually("the one that was stuck is accepted", async || {
        let answer = api
            .client
            .try_execute(&workflow, Some("stuck"), json!({}))
            .await
            .ok()?;
        (answer.status == 202).then_some(())
    })
    .await;
    let next = api.execute(&workflow, json!({"number": 1})).await;
    // The one that was stuck has no number, so it fails; that is not what this is about.
    system.all_have_ended().await;
    assert_eq!(system.database.execution(&next).await.status, "COMPLETED");
}

/// Case 40: a worker that can open no connection fails the attempt, and no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_file_descriptors_fails_attempts_and_not_executions() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let worker = system.worker().await;
    let retry = json!({"retry": {"maxAttempts": 100, "initialIntervalMs": 200, "multiplier": 1}});
    let workflow = changed(chain(&endpoint, &["call"]), "call", &retry);
    let workflow = api.create_workflow(&workflow).await;
    // What is open stays open; nothing more is opened.
    worker.limit("--nofile=1:");
    let id = api.execute(&workflow, json!({"number": 1})).await;
    let error = eventually("an attempt fails", async || {
        let row = system.database.execution(&id).await;
        row.journal.into_iter().find_map(|entry| match entry {
            Entry::Retrying { error, .. } => Some(error),
            _ => None,
        })
    })
    .await;
    assert_eq!(endpoint.calls().len(), 0, "it has called all the same: {error:?}");
    worker.limit("--nofile=1024:");
    let rows = system.check(&[id], &endpoint, Calls::Once).await;
    assert_eq!((rows[0].attempt, rows[0].losses), (1, 0), "{rows:#?}");
}

/// Case 40: the disk that the log goes to is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_log_works_on() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let _unheard = system.unheard_worker();
    let mut accepted = Vec::new();
    for number in 0..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 41: the answer to its call is more than the worker can keep.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_runs_out_of_memory_is_replaced() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let held = gate.clone();
    let endpoint = RecordingEndpoint::answering(move |_| {
        Reply::json(200, json!({"much": "x".repeat(900_000)})).after(&held)
    })
    .await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut poor = system.worker().await;
    let accepted = [api.execute(&workflow, json!({"number": 1})).await];
    endpoint.wait_for_calls(1).await;
    // It has what it has, and gets nothing more.
    poor.limit("--data=1:");
    gate.open();
    let status = poor.ended().await;
    assert!(!status.success(), "{status}");

    let _other = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(rows[0].attempt, 2, "{rows:#?}");
}

/// What a worker may need at most, in bytes: 150 MiB.
const MEMORY: u64 = 150 * 1024 * 1024;

/// Case 51, with a backlog of three thousand.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_drained_without_being_taken_into_memory() {
    let mut system = System::start().await;
    // By default what waits unconfirmed for three seconds would be published again and again.
    system.set("relay.publish_within", "5m");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let nodes = json!([
        {"id": "start", "type": "trigger"},
        {"id": "end", "type": "transform", "data": {"set": {"doubled": "{{ number * 2 }}"}}},
    ]);
    let edges = json!([{"id": "edge", "source": "start", "target": "end"}]);
    let definition = json!({"name": "short", "nodes": nodes, "edges": edges});
    let workflow = api.create_workflow(&definition).await;
    let producers = (0..30).map(|producer| {
        let (client, workflow) = (api.client.clone(), workflow.clone());
        async move {
            let mut accepted = Vec::new();
            for number in 0..100 {
                let input = json!({"number": producer * 100 + number, "weight": "x".repeat(2_000)});
                accepted.push(client.execute(&workflow, input).await);
            }
            accepted
        }
    });
    let accepted = join_all(producers).await.concat();
    assert_eq!(system.database.unfinished().await, Some(3_000));
    let worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "an execution was taken twice"
    );
    let peak = worker.peak_memory();
    assert!(peak < MEMORY, "the worker has needed {peak} bytes");
}
