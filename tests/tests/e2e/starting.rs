//! Starting: processes that start before what they need.

use gristmill_testkit::{Proxy, RecordingEndpoint};
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

/// Case 19.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_without_a_broker_accept_work_and_wait_for_it() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let proxy = Proxy::to(&system.broker_url()).await;
    proxy.refuse();
    let through = proxy.url(&system.broker_url());
    let settings = [("broker.url", through.as_str())];
    let api = system.listening_api(&settings).await;
    let mut worker = system.worker_with(&settings).await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    // Both have tried more than once, and are still there.
    worker.logged("consuming failed; trying again").await;
    assert!(!api.is_ready().await, "ready without a broker");

    proxy.accept();
    api.becomes_ready().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(rows.iter().all(|row| row.attempt == 1), "{rows:#?}");
}

/// Case 19, with the database away instead.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_without_a_database_wait_for_it() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let proxy = Proxy::to(&system.database_url()).await;
    proxy.refuse();
    let through = proxy.url(&system.database_url());
    let settings = [("database.url", through.as_str())];
    let mut api = system.listening_api(&settings).await;
    let mut worker = system.starting_worker(&settings);
    api.process.logged("waiting for the database").await;
    worker.logged("waiting for the database").await;
    assert!(!api.is_ready().await, "ready without a database");
    assert!(!worker.has_logged("working"), "at work without a database");

    proxy.accept();
    api.becomes_ready().await;
    worker.logged("working").await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let accepted = [api.execute(&workflow, json!({"number": 1})).await];
    system.check(&accepted, &endpoint, Calls::Once).await;
    eventually("nobody waits any more", async || {
        api.is_ready().await.then_some(())
    })
    .await;
}
