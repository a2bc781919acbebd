//! Waiting: many executions that do.

use std::path::Path;

use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{System, chain, eventually, figures};
use serde_json::json;

/// The worker has one slot. While a hundred wait for an hour it runs others, and nothing touches the rows of the hundred.
#[tokio::test(flavor = "multi_thread")]
async fn executions_that_wait_hold_no_slot_and_are_left_alone() {
    const WAITING: i64 = 100;
    let mut system = System::start().await;
    system.set("worker.concurrency", "1");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let pausing = api
        .create_workflow(&json!({
            "name": "pausing",
            "nodes": [
                {"id": "start", "type": "trigger"},
                {"id": "pause", "type": "wait", "data": {"durationMs": 3_600_000}},
            ],
            "edges": [{"id": "e", "source": "start", "target": "pause"}],
        }))
        .await;
    let calling = api.create_workflow(&chain(&endpoint, &["call"])).await;
    for number in 0..WAITING {
        api.execute(&pausing, json!({"number": number})).await;
    }
    eventually("all of them wait", async || {
        system
            .database
            .count("WAITING")
            .await
            .filter(|count| *count == WAITING)
    })
    .await;
    let before = system.database.executions().await;
    for number in 0..20 {
        api.execute(&calling, json!({"number": number})).await;
    }
    eventually("the others complete", async || {
        system
            .database
            .count("COMPLETED")
            .await
            .filter(|count| *count == 20)
    })
    .await;
    let mut after = system.database.executions().await;
    after.retain(|row| row.status == "WAITING");
    assert_eq!(after, before);
    assert!(before.iter().all(|row| row.attempt == 1), "{before:#?}");
}

/// The benchmark with ten thousand has the times; here they only have to go on, all of them and once.
#[tokio::test(flavor = "multi_thread")]
async fn executions_that_wait_for_the_same_moment_all_go_on_when_it_comes() {
    let own = env!("CARGO_BIN_EXE_gristmill-tests");
    let arguments = [
        "waiting",
        "--executions",
        "300",
        "--in-flight",
        "32",
        "--lead",
        "20",
    ];
    let figures = figures(Path::new(own), &[&arguments[..], &["--within", "60000"]].concat())
        .await
        .report;
    assert_eq!(figures["completed"], 300, "{figures}");
    assert_eq!(figures["claims_while_waiting"], 0, "{figures}");
    assert_eq!(figures["met"], true, "{figures}");
    for spread in ["left_ms", "started_ms", "started_in_turn_ms"] {
        assert!(
            figures[spread]["max"].as_f64() >= figures[spread]["p99"].as_f64(),
            "{figures}"
        );
    }
}
