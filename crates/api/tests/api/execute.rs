//! Execute: submitting an execution and reading what became of it.

use gristmill_core::ExecutionError;
use gristmill_core::journal::{AfterFailure, Entry, NodeError};
use gristmill_store::Ending;
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Map, json};

use crate::world::{BASE, World, completed, execute_path, send};

pub(crate) async fn an_execution_is_accepted_with_its_place(database: TestDatabase) {
    let world = World::on(database).await;
    let workflow = world.workflow().await;
    let request = world
        .request(Method::POST, &execute_path(&workflow))
        .header("content-type", "application/json");
    let answer = send(request.body(r#"{"input": {"b":1.0, "a" : "\u0000"}}"#)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(
        answer.text.contains(r#""input":{"b":1.0, "a" : "\u0000"},"#),
        "{answer:?}"
    );
    let id = answer.execution_id();
    assert_eq!(
        answer.header("location"),
        Some(&*format!("{BASE}/executions/{id}"))
    );
    assert_eq!(answer.header("preference-applied"), None);

    let read = world.get(&format!("{BASE}/executions/{id}")).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.text, answer.text);
    let mut body = read.json();
    for key in ["id", "workflowId", "createdAt"] {
        assert!(body["execution"][key].is_string());
        body["execution"][key] = json!("…");
    }
    // Once for each database.
    insta::allow_duplicates! {
        insta::assert_json_snapshot!(body, @r#"
        {
          "execution": {
            "id": "…",
            "workflowId": "…",
            "workflowType": "automation",
            "revision": 1,
            "status": "PENDING",
            "attempt": 0,
            "waitsFor": null,
            "wakeAt": null,
            "deadline": null,
            "parent": null,
            "children": [],
            "childrenTruncated": false,
            "replayOf": null,
            "onFailureOf": null,
            "operatorRetries": 0,
            "tags": [],
            "metadata": null,
            "input": {
              "b": 1.0,
              "a": "\u0000"
            },
            "output": null,
            "logs": [],
            "logsTruncated": false,
            "error": null,
            "nodesExecuted": 0,
            "tokensUsed": 0,
            "costMicros": 0,
            "cost": 0.0,
            "duration": null,
            "createdAt": "…",
            "startedAt": null,
            "completedAt": null
          }
        }
        "#);
    }
}

pub(crate) async fn an_absent_body_or_input_is_an_empty_object(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let bare = send(world.request(Method::POST, &path)).await;
    let answers = [
        bare,
        world.post(&path, &json!({})).await,
        world.post(&path, &json!({"input": null})).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.json()["execution"]["input"], json!({}));
    }
}

pub(crate) async fn an_input_that_is_no_object_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    for input in [json!([]), json!("text"), json!(7), json!(true)] {
        let answer = world.post(&path, &json!({"input": input, "inputs": {}})).await;
        let expected = [("$.inputs", "unknown_key"), ("$.input", "wrong_type")];
        assert_eq!(
            answer.problems(),
            expected.map(|(path, code)| (path.to_owned(), code.to_owned()))
        );
    }
}

pub(crate) async fn tags_and_metadata_are_given_back(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let request = world
        .request(Method::POST, &path)
        .header("content-type", "application/json");
    let body = r#"{"tags": ["a", "é"], "metadata": {"order":1.0, "z" : "\u0000"}}"#;
    let answer = send(request.body(body)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let shown = r#""tags":["a","é"],"metadata":{"order":1.0, "z" : "\u0000"},"#;
    assert!(answer.text.contains(shown), "{answer:?}");
    let read = world
        .get(&format!("{BASE}/executions/{}", answer.execution_id()))
        .await;
    assert_eq!(read.text, answer.text);

    let large = "x".repeat(16 * 1024);
    for (body, problem) in [
        (json!({"tags": "a"}), ("$.tags", "wrong_type")),
        (json!({"tags": [""]}), ("$.tags[0]", "out_of_range")),
        // By their number alone, whatever they are.
        (json!({"tags": vec![","; 21]}), ("$.tags", "out_of_range")),
        (json!({"metadata": []}), ("$.metadata", "wrong_type")),
        (json!({"metadata": {"large": large}}), ("$.metadata", "too_large")),
    ] {
        let answer = world.post(&path, &body).await;
        assert_eq!(answer.problems(), [(problem.0.to_owned(), problem.1.to_owned())]);
    }
}

pub(crate) async fn a_finished_execution_shows_what_happened(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let output = json!({"m": 1}).as_object().unwrap().clone();
    let entry = |path: &str, at, output: Map<_, _>| Entry::Completed {
        path: path.to_owned(),
        at,
        duration_ms: 5,
        output: output.into(),
        handle: None,
        usage: None,
        mail: None,
    };
    let entries = [entry("start", 1_000, Map::new()), entry("shape", 2_000, output)];
    world.finish(&id, &entries, completed()).await;

    let answer = world.get(&format!("{BASE}/executions/{id}")).await;
    assert!(answer.text.contains(r#""output":{"n":1,"m":1.0},"#), "{answer:?}");
    let mut body = answer.json();
    let execution = &mut body["execution"];
    assert!(
        execution["duration"]
            .as_i64()
            .is_some_and(|duration| (0..60_000).contains(&duration))
    );
    for key in [
        "id",
        "workflowId",
        "createdAt",
        "startedAt",
        "completedAt",
        "duration",
    ] {
        execution[key] = json!("…");
    }
    // Once for each database.
    insta::allow_duplicates! {
        insta::assert_json_snapshot!(body, @r#"
        {
          "execution": {
            "id": "…",
            "workflowId": "…",
            "workflowType": "automation",
            "revision": 1,
            "status": "COMPLETED",
            "attempt": 1,
            "waitsFor": null,
            "wakeAt": null,
            "deadline": null,
            "parent": null,
            "children": [],
            "childrenTruncated": false,
            "replayOf": null,
            "onFailureOf": null,
            "operatorRetries": 0,
            "tags": [],
            "metadata": null,
            "input": {
              "n": 1
            },
            "output": {
              "n": 1,
              "m": 1.0
            },
            "logs": [
              {
                "nodeId": "start",
                "nodeName": "Start",
                "status": "RUNNING",
                "timestamp": "1970-01-01T00:00:00.995Z",
                "message": "Executing node: Start"
              },
              {
                "nodeId": "start",
                "nodeName": "Start",
                "status": "COMPLETED",
                "timestamp": "1970-01-01T00:00:01Z",
                "message": "Node completed in 5ms",
                "data": {}
              },
              {
                "nodeId": "shape",
                "nodeName": "Shape",
                "status": "RUNNING",
                "timestamp": "1970-01-01T00:00:01.995Z",
                "message": "Executing node: Shape"
              },
              {
                "nodeId": "shape",
                "nodeName": "Shape",
                "status": "COMPLETED",
                "timestamp": "1970-01-01T00:00:02Z",
                "message": "Node completed in 5ms",
                "data": {
                  "m": 1
                }
              }
            ],
            "logsTruncated": false,
            "error": null,
            "nodesExecuted": 2,
            "tokensUsed": 30,
            "costMicros": 1250000,
            "cost": 1.25,
            "duration": "…",
            "createdAt": "…",
            "startedAt": "…",
            "completedAt": "…"
          }
        }
        "#);
    }
}

pub(crate) async fn a_failed_execution_shows_why(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let failed = Entry::Failed {
        path: "shape".to_owned(),
        at: 1_000,
        duration_ms: 1,
        attempts: 1,
        error: NodeError::new("template", "`n` is undefined").into(),
        then: AfterFailure::Fail,
        usage: None,
        mail: None,
    };
    let error = ExecutionError {
        node_id: Some("shape".to_owned()),
        path: Some("shape".to_owned()),
        ..ExecutionError::new("node_failed", "`n` is undefined")
    };
    let ending = Ending::Failed {
        error: serde_json::to_string(&error).unwrap(),
    };
    world.finish(&id, &[failed], ending).await;
    let execution = &world.get(&format!("{BASE}/executions/{id}")).await.json()["execution"];
    assert_eq!(execution["status"], "FAILED");
    assert_eq!(execution["output"], json!(null));
    assert_eq!(
        execution["error"],
        json!({"code": "node_failed", "message": "`n` is undefined", "nodeId": "shape", "path": "shape"})
    );
    assert_eq!(execution["logs"][1]["message"], "Node failed: `n` is undefined");
    assert_eq!(execution["logs"][1]["error"]["code"], "template");
}
