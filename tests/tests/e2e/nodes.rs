//! Nodes: some that hang, fail or keep their worker from breathing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gristmill_core::failpoint::VARIABLE;
use gristmill_core::journal::Entry;
use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use gristmill_tests::{Calls, SHORT_LEASE, System, chain, changed, eventually};
use serde_json::{Value, json};

/// Case 49: the call is never answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_fails_after_its_attempts() {
    let system = System::start().await;
    let never = Gate::new();
    let endpoint = RecordingEndpoint::answering({
        let never = never.clone();
        move |_| Reply::json(200, json!({})).after(&never)
    })
    .await;
    let api = system.api().await;
    let worker = system.worker().await;
    let impatient = json!({
        "timeoutMs": 300,
        "retry": {"maxAttempts": 3, "initialIntervalMs": 100, "multiplier": 1},
    });
    let workflow = changed(chain(&endpoint, &["call"]), "call", &impatient);
    let workflow = api.create_workflow(&workflow).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    system.all_have_ended().await;
    let row = system.database.execution(&id).await;
    let error: Value = serde_json::from_str(row.error.as_ref().unwrap()).unwrap();
    assert_eq!((row.status.as_str(), row.attempt), ("FAILED", 1), "{row:#?}");
    assert_eq!(
        (&error["code"], &error["nodeId"]),
        (&json!("timeout"), &json!("call"))
    );
    assert_eq!(endpoint.calls().len(), 3);
    drop(worker);
}

/// Case 49: something keeps the worker's only thread for longer than a lease. What renews has a thread of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_runtime_costs_no_lease() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let endpoint = RecordingEndpoint::answering({
        let gate = gate.clone();
        move |_| Reply::json(200, json!({})).after(&gate)
    })
    .await;
    let api = system.api().await;
    let settings = [(VARIABLE, "effect.ended=9000ms@1"), ("TOKIO_WORKER_THREADS", "1")];
    let _blocked = system.worker_with(&settings).await;
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;
    let mut accepted = Vec::new();
    for number in 0..3 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    endpoint.wait_for_calls(3).await;
    // Whoever would go on with what the blocked one loses is there.
    let _other = system.worker().await;
    gate.open();
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 50: what two hundred executions depend on is down, until fifty others have gone through beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_retries_is_spread_and_holds_up_nobody_else() {
    let mut system = System::start().await;
    // Fewer slots than executions that fail.
    system.set("worker.concurrency", "16");
    let up = Arc::new(AtomicBool::new(false));
    let endpoint = RecordingEndpoint::answering({
        let up = up.clone();
        move |call| {
            let fails = call.path == "/down" && !up.load(Ordering::Relaxed);
            Reply::json(if fails { 500 } else { 200 }, json!({}))
        }
    })
    .await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let retry = json!({"retry": {"maxAttempts": 100, "initialIntervalMs": 4000, "multiplier": 1}});
    let storm = changed(chain(&endpoint, &["down"]), "down", &retry);
    let storm = api.create_workflow(&storm).await;
    let healthy = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..200 {
        accepted.push(api.execute(&storm, json!({"number": number})).await);
    }
    for number in 0..50 {
        accepted.push(api.execute(&healthy, json!({"number": number})).await);
    }
    eventually("the healthy ones end", async || {
        system
            .database
            .count("COMPLETED")
            .await
            .filter(|ended| *ended == 50)
    })
    .await;
    up.store(true, Ordering::Relaxed);
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert!(rows.iter().all(|row| row.losses == 0), "{rows:#?}");
    let mut pauses: Vec<_> = rows
        .iter()
        .flat_map(|row| &row.journal)
        .filter_map(|entry| match entry {
            Entry::Retrying { at, retry_at, .. } => Some(retry_at - at),
            _ => None,
        })
        .collect();
    pauses.sort_unstable();
    pauses.dedup();
    assert!(
        pauses.len() > 100 && pauses[pauses.len() - 1] - pauses[0] > 1_000,
        "the pauses are not spread: {pauses:?}"
    );
}
