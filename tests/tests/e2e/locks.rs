//! People with a session of their own in the database.

use gristmill_testkit::{Gate, RecordingEndpoint};
use gristmill_tests::{Calls, SHORT_LEASE, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

/// Sessions of Gristmill's that wait for somebody's lock.
const WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'gristmill%' AND wait_event_type = 'Lock'";

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

/// Case 36: the worker claims in the order of ids, and somebody locks in the opposite order.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_with_somebody_elses_session_costs_no_execution() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..20 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    let session = system.database.session().await.unwrap();
    session.batch_execute("BEGIN").await.unwrap();
    let lock = "UPDATE executions SET losses = losses WHERE id = $1";
    session.execute(lock, &[&accepted[19]]).await.unwrap();
    let _worker = system.worker().await;
    // The group has locked all that come before the last one.
    eventually("a claim waits for the last one", async || {
        system
            .database
            .number(WAITING, &[])
            .await
            .filter(|waiting| *waiting == 1)
    })
    .await;
    // Now both wait for each other, until the server ends the one or the other's statement.
    for id in accepted[..19].iter().rev() {
        if session.execute(lock, &[id]).await.is_err() {
            break;
        }
    }
    session.batch_execute("ROLLBACK").await.unwrap();
    system.check(&accepted, &endpoint, Calls::Once).await;
    let counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    eventually("the server has counted a deadlock", async || {
        system
            .database
            .number(counted, &[])
            .await
            .filter(|counted| *counted > 0)
    })
    .await;
}
