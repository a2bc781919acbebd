//! RabbitMQ killed and wiped: a server of the test's own.

use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, Load, System, chain, eventually};
use serde_json::json;

/// Case 15.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_under_load_stops_no_submit_and_loses_no_execution() {
    let system = System::with_own_rabbitmq().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    load.accepts(50).await;
    system.rabbitmq().kill();
    load.accepts(50).await;
    system.rabbitmq().start_again();
    load.accepts(50).await;
    let refused = load.refused();
    assert_eq!(refused, 0, "a submit was refused because of the broker");

    let accepted = load.finish().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 20: the jobs are gone, and it is written down that the broker has them.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_everything_gets_every_waiting_job_again() {
    let system = System::with_own_rabbitmq().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..50 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    eventually("every confirm is written down", async || {
        system
            .database
            .published()
            .await
            .filter(|published| *published == 50)
    })
    .await;
    system.rabbitmq().stop();
    system.rabbitmq().wipe();
    accepted.push(api.execute(&workflow, json!({"number": 50})).await);
    system.rabbitmq().start_again();

    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
