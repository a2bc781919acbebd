//! Draining: SIGTERM.

use std::time::Duration;

use gristmill_core::journal::Entry;
use gristmill_testkit::Gate;
use gristmill_tests::{Calls, Row, SHORT_LEASE, Signal, System, chain, eventually};
use serde_json::json;
use tokio::time::Instant;

use crate::endpoint::holding_the_first;

/// Case 45: of two calls in flight one is answered within the grace period and one is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_finishes_what_it_can_and_gives_the_rest_back() {
    let mut system = System::start().await;
    system.set("worker.drain_grace", "2s");
    let (quick, never) = (Gate::new(), Gate::new());
    let endpoint = holding_the_first(&[("/quick", &quick), ("/slow", &never)]).await;
    let api = system.api().await;
    let quick_one = api.create_workflow(&chain(&endpoint, &["quick"])).await;
    let slow_one = api.create_workflow(&chain(&endpoint, &["slow"])).await;
    let mut draining = system.worker().await;
    let accepted = [
        api.execute(&quick_one, json!({"number": 1})).await,
        api.execute(&slow_one, json!({"number": 2})).await,
    ];
    endpoint.wait_for_calls(2).await;
    let _other = system.worker().await;

    let told = Instant::now();
    draining.signal(Signal::Term);
    draining.logged("draining").await;
    quick.open();
    let status = draining.ended().await;
    assert!(status.success(), "{status}");
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        told.elapsed()
    );
    // Given back, not left to the end of its lease.
    let given_back = system.database.execution(&accepted[1]).await;
    assert!(
        given_back.status == "PENDING" || given_back.attempt == 2,
        "{given_back:#?}"
    );

    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    let aborted = |row: &Row| {
        row.journal
            .iter()
            .any(|entry| matches!(entry, Entry::Aborted { .. }))
    };
    assert_eq!((rows[0].attempt, aborted(&rows[0])), (1, false), "{rows:#?}");
    assert_eq!((rows[1].attempt, aborted(&rows[1])), (2, true), "{rows:#?}");
    assert_eq!(endpoint.calls().len(), 3, "{:#?}", endpoint.calls());
}

/// Case 45: whoever asks a second time does not want to wait; it is as if the worker had crashed.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_twice_ends_at_once_and_is_replaced() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let never = Gate::new();
    let endpoint = holding_the_first(&[("/held", &never)]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let mut told = system.worker().await;
    let accepted = [api.execute(&workflow, json!({"number": 1})).await];
    endpoint.wait_for_calls(1).await;
    told.signal(Signal::Term);
    told.logged("draining").await;
    told.signal(Signal::Term);
    let status = told.ended().await;
    assert_eq!(status.code(), Some(143), "{status}");

    let _other = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(rows[0].attempt, 2, "{rows:#?}");
}

/// Case 45: what a drained worker had prefetched comes to others as if for the first time.
#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_leaves_no_redelivery_behind() {
    let mut system = System::start().await;
    // One job for each execution, and no other.
    system.set("relay.publish_within", "10m");
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["held"])).await;
    for number in 0..20 {
        api.execute(&workflow, json!({"number": number})).await;
    }
    eventually("every job is in the queue", async || {
        system.depth().await.filter(|depth| *depth == 20)
    })
    .await;
    let mut worker = system.worker_with(&[("worker.concurrency", "1")]).await;
    endpoint.wait_for_calls(1).await;
    worker.signal(Signal::Term);
    // Not before it has stopped taking jobs.
    worker.logged("draining").await;
    gate.open();
    assert!(worker.ended().await.success());
    // What was handed back through the database is published by the API's relay.
    eventually("what it did not run is in the queue", async || {
        system.depth().await.filter(|depth| *depth >= 18)
    })
    .await;
    let left = system
        .queues
        .take_all_redelivered(&system.queues.lane("default"))
        .await;
    let left = left.unwrap();
    assert!(!left.contains(&true), "{left:?}");
    let rows = system.database.executions().await;
    assert!(
        rows.iter()
            .all(|row| ["COMPLETED", "PENDING"].contains(&row.status.as_str())),
        "{rows:#?}"
    );
}
