//! Locks: people with a session of their own in the database.

use gristmill_testkit::{Gate, RecordingEndpoint};
use gristmill_tests::{Calls, SHORT_LEASE, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

/// Case 37, with an execution that waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_locked_by_hand_holds_up_itself_alone() {
    let mut system = System::start().await;
    system.set("database.lock_timeout", "1s");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..20 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    let session = system.database.session().await.unwrap();
    session.batch_execute("BEGIN").await.unwrap();
    session
        .execute(
            "SELECT 1 FROM executions WHERE id = $1 FOR UPDATE",
            &[&accepted[7]],
        )
        .await
        .unwrap();

    let _worker = system.worker().await;
    eventually("all others end", async || {
        system.database.unfinished().await.filter(|left| *left == 1)
    })
    .await;
    assert_eq!(system.database.execution(&accepted[7]).await.status, "PENDING");
    session.batch_execute("COMMIT").await.unwrap();
    system.check(&accepted, &endpoint, Calls::Once).await;
}

/// Case 37, with an execution that runs: nobody can renew its lease, and nobody can take it away, for as long as the
/// lock is held.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_execution_locked_by_hand_past_its_lease_is_taken_up_again() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let mut worker = system.worker().await;
    let accepted = vec![api.execute(&workflow, json!({"number": 1})).await];
    endpoint.wait_for_calls(1).await;
    let session = system.database.session().await.unwrap();
    session
        .batch_execute("BEGIN; SELECT 1 FROM executions FOR UPDATE")
        .await
        .unwrap();
    worker
        .logged("the lease could not be renewed in time; stopped")
        .await;
    session.batch_execute("COMMIT").await.unwrap();
    gate.open();

    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(rows[0].attempt, 2, "{rows:#?}");
}
