//! `gristmill dev`

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use serde_json::json;
use tempfile::TempDir;

use crate::gristmill::{Dev, gristmill, output, text};

#[tokio::test]
async fn dev_serves_with_the_key_that_it_keeps_for_its_owner_alone() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    assert_eq!(dev.get("/healthz").await.0, 200);
    assert_eq!(dev.get("/readyz").await.0, 200);
    let file = directory.path().join("api-key");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), dev.key);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let definition = std::fs::read_to_string(crate::gristmill::example("hello.json")).unwrap();
    let workflow = dev.store(&serde_json::from_str(&definition).unwrap()).await;
    let execution = dev.execute(&workflow, json!({"name": "Ada"})).await;
    let execution = dev.ended(&execution).await;
    assert_eq!(execution["output"]["greeting"], "Hello, Ada!", "{execution}");
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused_clearly() {
    let directory = TempDir::new().unwrap();
    let _first = Dev::start(directory.path()).await;
    let second = output(
        gristmill()
            .args(["dev", "--port", "0", "--data-dir"])
            .arg(directory.path()),
    )
    .await;
    assert_eq!(second.status.code(), Some(1));
    let message = text(&second.stderr);
    assert!(message.contains("the data directory cannot be used"), "{message}");
    assert!(message.contains("--data-dir"), "{message}");
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_number() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let directory = TempDir::new().unwrap();
    let refused = output(
        gristmill()
            .args(["dev", "--port", &port, "--data-dir"])
            .arg(directory.path()),
    )
    .await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&format!("cannot listen on 127.0.0.1:{port}")));
}

#[tokio::test]
async fn the_key_and_what_is_stored_outlive_a_restart() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let key = dev.key.clone();
    let definition = json!({"name": "Kept", "nodes": [{"id": "start", "type": "trigger"}], "edges": []});
    let workflow = dev.store(&definition).await;
    assert!(dev.signal("TERM").await.success());

    let dev = Dev::start(directory.path()).await;
    assert_eq!(dev.key, key);
    assert_eq!(
        dev.get(&format!("/api/v1/ai-hub/workflows/{workflow}")).await.0,
        200
    );
}

#[tokio::test]
async fn a_lost_key_file_brings_a_new_key_for_the_same_organization() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let key = dev.key.clone();
    let definition = json!({"name": "Kept", "nodes": [{"id": "start", "type": "trigger"}], "edges": []});
    let workflow = dev.store(&definition).await;
    assert!(dev.signal("INT").await.success());
    std::fs::remove_file(directory.path().join("api-key")).unwrap();

    let dev = Dev::start(directory.path()).await;
    assert_ne!(dev.key, key);
    assert_eq!(
        dev.get(&format!("/api/v1/ai-hub/workflows/{workflow}")).await.0,
        200
    );
}

#[tokio::test]
async fn a_killed_dev_finishes_what_it_had_accepted_after_the_next_start() {
    let gate = Gate::new();
    let held = gate.clone();
    let endpoint = RecordingEndpoint::answering(move |_| Reply::json(200, json!({})).after(&held)).await;
    let directory = TempDir::new().unwrap();
    let allow = format!("127.0.0.1:{}", endpoint.port());
    let start = async || {
        let mut command = gristmill();
        command
            .env("GRISTMILL__HTTP__ALLOW_HOSTS", &allow)
            .env("GRISTMILL__WORKER__CONCURRENCY", "2");
        Dev::start_with(directory.path(), command.stderr(Stdio::inherit())).await
    };
    let dev = start().await;
    let workflow = dev
        .store(&json!({
            "name": "Calls",
            "nodes": [
                {"id": "start", "type": "trigger"},
                {"id": "call", "type": "integration", "data": {"url": endpoint.url()}},
            ],
            "edges": [{"id": "e", "source": "start", "target": "call"}],
        }))
        .await;
    let mut accepted = Vec::new();
    for number in 0..20 {
        accepted.push(dev.execute(&workflow, json!({"number": number})).await);
    }
    // Two are in the middle of their call, eighteen wait.
    endpoint.wait_for_calls(2).await;
    assert!(!dev.signal("KILL").await.success());

    gate.open();
    let dev = start().await;
    for id in accepted {
        let execution = dev.ended(&id).await;
        assert_eq!(execution["status"], "COMPLETED", "{execution}");
    }
}
