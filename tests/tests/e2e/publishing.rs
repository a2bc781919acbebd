//! Publishing: a process that dies between the commit and the queue, or between the queue and the note of it.

use gristmill_testkit::{Proxy, RecordingEndpoint};
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

/// Case 3: the relay has moved `wake_at` along, so it has these rows; the broker has seen nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_before_it_could_publish_is_replaced() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let proxy = Proxy::to(&system.broker_url()).await;
    let mut doomed = system
        .api_with(&[("broker.url", &proxy.url(&system.broker_url()))])
        .await;
    let workflow = doomed.create_workflow(&chain(&endpoint, &["call"])).await;
    proxy.freeze();
    let mut accepted = Vec::new();
    for number in 0..10 {
        accepted.push(doomed.execute(&workflow, json!({"number": number})).await);
    }
    let recorded = system.database.executions().await;
    eventually("the relay takes every execution", async || {
        let rows = system.database.executions().await;
        let mut pairs = rows.iter().zip(&recorded);
        pairs.all(|(now, then)| now.wake_at > then.wake_at).then_some(())
    })
    .await;
    doomed.process.kill();
    proxy.cut();
    assert_eq!(system.depth().await, Some(0), "something was published");

    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 4: every job is in the queue, and nobody has written that down; so each is published a second time.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_before_it_wrote_the_confirms_down_costs_doubled_jobs_and_no_doubled_run() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let mut doomed = system.api().await;
    let workflow = doomed.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..10 {
        accepted.push(doomed.execute(&workflow, json!({"number": number})).await);
    }
    eventually("every job is in the queue", async || {
        system.depth().await.filter(|depth| *depth >= 10)
    })
    .await;
    doomed.process.kill();
    assert_eq!(
        system.database.published().await,
        Some(0),
        "a confirm was written down already"
    );

    let _relay = system.api().await;
    eventually("every job is doubled", async || {
        system.depth().await.filter(|depth| *depth >= 20)
    })
    .await;
    let _workers = [system.worker().await, system.worker().await];
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
