//! `gristmill execution`

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::gristmill::{Dev, gristmill, output, text};

/// A workflow that waits for nobody, and one that fails.
fn definition(set: Value) -> Value {
    json!({
        "name": "Operated",
        "nodes": [
            {"id": "start", "type": "trigger"},
            {"id": "shape", "type": "transform", "data": {"set": set}},
        ],
        "edges": [{"id": "e", "source": "start", "target": "shape"}],
    })
}

fn execution(dev: &Dev, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = gristmill();
    command
        .arg("execution")
        .args(arguments)
        .args(["--url", &dev.url, "--data-dir"])
        .arg(directory);
    command
}

async fn json_of(command: &mut Command) -> Value {
    let done = output(command.arg("--json")).await;
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test]
async fn an_execution_is_shown_retried_replayed_and_deleted() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let workflow = dev.store(&definition(json!({"x": "{{ missing + 1 }}"}))).await;
    let id = dev.execute(&workflow, json!({"n": 1})).await;
    dev.ended(&id).await;

    let shown = output(&mut execution(&dev, directory.path(), &["show", &id])).await;
    let page = text(&shown.stdout);
    for part in [&*id, "FAILED", r#"{"n":1}"#, "shape", "revision 1"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    let retried = json_of(&mut execution(&dev, directory.path(), &["retry", &id])).await;
    assert_eq!(retried["execution"]["operatorRetries"], 1, "{retried}");
    let again = dev.ended(&id).await;
    assert_eq!(
        (&again["status"], &again["attempt"]),
        (&json!("FAILED"), &json!(2))
    );

    let replayed = json_of(&mut execution(
        &dev,
        directory.path(),
        &["replay", &id, "--revision", "newest"],
    ))
    .await;
    assert_eq!(replayed["execution"]["replayOf"], *id, "{replayed}");
    dev.ended(replayed["execution"]["id"].as_str().unwrap()).await;

    let deleted = output(&mut execution(&dev, directory.path(), &["delete", &id])).await;
    assert!(deleted.status.success(), "{}", text(&deleted.stderr));
    let gone = output(&mut execution(&dev, directory.path(), &["show", &id])).await;
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("There is no such execution"));
}

#[tokio::test]
async fn an_execution_is_submitted_once_for_each_key_and_waited_for() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let good = dev.store(&definition(json!({"x": "{{ n + 1 }}"}))).await;
    let submit = |arguments: &[&str]| {
        let mut command = execution(&dev, directory.path(), &["submit", &good]);
        command.args(arguments);
        command
    };
    let input = directory.path().join("input.json");
    std::fs::write(&input, r#"{"n": 41}"#).unwrap();
    let input = input.to_str().unwrap();
    let keyed = ["--idempotency-key", "order-4711", "--input-file", input];
    let first = json_of(&mut submit(&keyed)).await;
    let waited = json_of(submit(&keyed).arg("--wait")).await;
    assert_eq!(waited["execution"]["id"], first["execution"]["id"]);
    assert_eq!(waited["execution"]["output"]["x"], 42, "{waited}");

    // A sum with what is missing fails, and so does whoever waits for it.
    let failed = output(&mut submit(&["--wait"])).await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        text(&failed.stderr).contains("has ended as FAILED"),
        "{}",
        text(&failed.stderr)
    );

    for later in [["--delay-ms", "3600000"], ["--run-at", "2999-01-31T12:00:00Z"]] {
        let answer = json_of(&mut submit(&later)).await;
        assert_eq!(answer["execution"]["waitsFor"], "start", "{answer}");
    }
    let marked = [
        "--tag",
        "nightly",
        "--tag",
        "eu",
        "--metadata",
        r#"{"order": 4711}"#,
    ];
    let marked = json_of(&mut submit(&marked)).await;
    assert_eq!(marked["execution"]["tags"], json!(["nightly", "eu"]), "{marked}");
    assert_eq!(
        marked["execution"]["metadata"],
        json!({"order": 4711}),
        "{marked}"
    );
    for wrong in [["--input", "[]"], ["--metadata", "7"], ["--run-at", "tomorrow"]] {
        assert_eq!(
            output(&mut submit(&wrong)).await.status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn an_execution_for_later_is_signalled_and_cancelled() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let workflow = dev.store(&definition(json!({"x": 1}))).await;
    let path = format!("/api/v1/ai-hub/workflows/{workflow}/execute");
    let (status, body) = dev.post(&path, &json!({"delayMs": 3_600_000})).await;
    assert_eq!(status, 202, "{body}");
    let id = body["execution"]["id"].as_str().unwrap();

    let signal = ["signal", id, "order paid", "--payload", r#"{"amount": 3}"#];
    let signalled = json_of(&mut execution(&dev, directory.path(), &signal)).await;
    assert_eq!(signalled["signal"]["name"], "order paid", "{signalled}");
    let shown = output(&mut execution(&dev, directory.path(), &["show", id])).await;
    assert!(
        text(&shown.stdout).contains("WAITING for its start, until"),
        "{}",
        text(&shown.stdout)
    );
    let cancelled = output(&mut execution(&dev, directory.path(), &["cancel", id])).await;
    assert_eq!(text(&cancelled.stdout), format!("{id}  CANCELLED\n"));
    let refused = output(&mut execution(&dev, directory.path(), &["retry", id])).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("409"), "{}", text(&refused.stderr));
}

#[tokio::test]
async fn executions_are_listed_and_followed_to_their_end() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let good = dev.store(&definition(json!({"x": 1}))).await;
    let bad = dev.store(&definition(json!({"x": "{{ missing + 1 }}"}))).await;
    let mut ids = Vec::new();
    for workflow in [&good, &bad, &good] {
        ids.push(dev.execute(workflow, json!({})).await);
    }

    // The second one fails, and so does whoever followed it.
    for (id, status, code) in [(&ids[0], "COMPLETED", 0), (&ids[1], "FAILED", 1)] {
        let followed = output(&mut execution(&dev, directory.path(), &["follow", id])).await;
        assert_eq!(followed.status.code(), Some(code), "{}", text(&followed.stderr));
        let page = text(&followed.stdout);
        for part in [
            "start",
            "shape",
            &format!("status: {status}\nthe execution has ended\n"),
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
    let lines = output(execution(&dev, directory.path(), &["follow", &ids[2]]).arg("--json")).await;
    let last: Value = serde_json::from_str(text(&lines.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["data"]["status"]),
        (&json!("end"), &json!("COMPLETED"))
    );

    let listed = json_of(&mut execution(
        &dev,
        directory.path(),
        &["list", "--workflow", &good],
    ))
    .await;
    let found = listed["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|execution| &execution["id"]);
    assert_eq!(found.collect::<Vec<_>>(), [&ids[2], &ids[0]]);
    let page = output(&mut execution(&dev, directory.path(), &["list", "--limit", "1"])).await;
    let page = text(&page.stdout);
    assert!(
        page.contains(&ids[2]) && page.contains("more: --cursor "),
        "{page}"
    );
    let failed = output(&mut execution(
        &dev,
        directory.path(),
        &["list", "--status", "failed"],
    ))
    .await;
    assert_eq!(
        text(&failed.stdout).lines().count(),
        2,
        "{}",
        text(&failed.stdout)
    );
    let refused = output(&mut execution(
        &dev,
        directory.path(),
        &["list", "--status", "lost"],
    ))
    .await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("query status"),
        "{}",
        text(&refused.stderr)
    );
}

#[tokio::test]
async fn without_a_key_the_command_says_where_it_looked() {
    let directory = TempDir::new().unwrap();
    let refused = output(
        gristmill()
            .args(["execution", "show", "wf_exec_1", "--data-dir"])
            .arg(directory.path()),
    )
    .await;
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    for part in ["--api-key", "GRISTMILL_API_KEY", "api-key"] {
        assert!(message.contains(part), "{message}");
    }
}
