//! Relays: several at once.

use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

/// Case 5: five processes look for what is due in the same moments.
#[tokio::test(flavor = "multi_thread")]
async fn five_relays_publish_everything_that_is_due_once() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let nowhere = [("broker.url", "amqp://guest:guest@127.0.0.1:1/%2f")];
    let brokerless = system.listening_api(&nowhere).await;
    let workflow = brokerless.create_workflow(&chain(&endpoint, &["call"])).await;
    // Who accepts these has no broker: a relay publishes them when they are due.
    let mut accepted = Vec::new();
    for number in 0..300 {
        accepted.push(brokerless.execute(&workflow, json!({"number": number})).await);
    }
    let settings = [("relay.publish_within", "10m"), ("relay.limit", "20")];
    let starting: Vec<_> = (0..5).map(|_| system.api_with(&settings)).collect();
    let relays = futures_util::future::join_all(starting).await;
    eventually("every job is published", async || {
        system.depth().await.filter(|depth| *depth >= 300)
    })
    .await;
    assert_eq!(system.depth().await, Some(300), "a job was published twice");
    let mut published = Vec::new();
    for relay in &relays {
        published.push(
            relay
                .metric("gristmill_publishes_total{outcome=\"confirmed\"}")
                .await,
        );
    }
    assert_eq!(published.iter().sum::<f64>(), 300.0, "{published:?}");

    let _workers = [system.worker().await, system.worker().await];
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
