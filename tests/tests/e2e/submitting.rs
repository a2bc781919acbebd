//! Submitting: an API that cannot know whether its commit was made.

use gristmill_testkit::{Proxy, RecordingEndpoint, Trap};
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

/// The client's key. It is an argument of the statement that records the execution, which is a transaction of its own:
/// so the trap is set for it.
const KEY: &str = "order-4711";

/// Case 34.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_not_accepted_and_the_repeat_gets_the_same_execution() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let proxy = Proxy::to(&system.database_url()).await;
    let through = proxy.url(&system.database_url());
    // One connection, on which a submit and its commit are prepared: they go out together then, and no answer is waited for
    // in between.
    let api = system
        .api_with(&[("database.url", &through), ("database.pool_size", "1")])
        .await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let first = api.execute(&workflow, json!({"number": 0})).await;
    let submit = || {
        let (client, workflow) = (api.client.clone(), workflow.clone());
        tokio::spawn(async move {
            let input = json!({"number": 1});
            client.try_execute(&workflow, Some(KEY), input).await.unwrap()
        })
    };
    proxy.set_trap(Trap::WithholdAnswer, KEY);
    let trapped = submit();
    proxy.trap_sprung().await;
    eventually("the execution is recorded", async || {
        system.database.count("PENDING").await.filter(|count| *count == 2)
    })
    .await;
    proxy.cut();
    let answer = trapped.await.unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");

    let mut recorded = system.database.executions().await;
    recorded.retain(|row| row.id != first);
    let _worker = system.worker().await;
    let repeated = submit().await.unwrap();
    assert_eq!(repeated.status, 202, "{repeated:?}");
    assert_eq!(repeated.execution_id(), recorded[0].id);
    system
        .check(&[first, repeated.execution_id()], &endpoint, Calls::Once)
        .await;
}
