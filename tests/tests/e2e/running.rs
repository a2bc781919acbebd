//! Running: nothing goes wrong.

use gristmill_testkit::{RecordingEndpoint, Reply};
use gristmill_tests::{Calls, System, chain};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_complete_two_hundred_executions_once_each() {
    let system = System::start().await;
    let endpoint =
        RecordingEndpoint::answering(|call| Reply::json(200, json!({"seen": call.json()["number"]}))).await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;

    let mut accepted = Vec::new();
    for number in 0..200 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }

    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(
            (row.attempt, row.losses, row.nodes_executed),
            (1, 0, 4),
            "{row:#?}"
        );
        let output: Value = serde_json::from_str(row.output.as_ref().unwrap()).unwrap();
        assert_eq!(output["number"], number);
        assert_eq!(output["second"]["body"]["seen"], number);
        assert_eq!(output["doubled"], 2 * number);
    }
    let shown = api.execution(&accepted[0]).await;
    assert_eq!(
        (&shown["status"], &shown["nodesExecuted"]),
        (&json!("COMPLETED"), &json!(4)),
        "{shown}"
    );
    let journal = api.journal(&accepted[0]).await;
    let story: Vec<_> = journal
        .iter()
        .map(|entry| (entry["seq"].as_u64().unwrap(), &entry["type"], &entry["path"]))
        .map(|(seq, kind, path)| format!("{seq} {} {}", kind.as_str().unwrap(), path.as_str().unwrap()))
        .collect();
    let expected = [
        "0 completed start",
        "1 started first",
        "2 completed first",
        "3 started second",
        "4 completed second",
        "5 completed end",
    ];
    assert_eq!(story, expected);
}
