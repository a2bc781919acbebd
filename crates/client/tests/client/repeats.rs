//! Repeats: what is repeated, and what is not.

use gristmill_client::{Error, ExecutionStatus, Revision, Submit};
use gristmill_testkit::Reply;
use serde_json::json;

use crate::world::{KEY, answering, execution, problem};

fn submit() -> Submit {
    Submit::new("wf_1".parse().unwrap(), &json!({"n": 1})).unwrap()
}

#[tokio::test]
async fn a_submit_is_repeated_under_its_key_until_it_is_answered() {
    let (endpoint, client) = answering([
        Reply::close(),
        problem(503, "outcome-unknown", json!({})),
        Reply::text(502, "bad gateway"),
        execution("PENDING"),
    ])
    .await;
    let accepted = client.submit(&submit()).await.unwrap();
    assert_eq!(accepted.status, ExecutionStatus::Pending);
    let calls = endpoint.calls();
    assert_eq!(calls.len(), 4);
    let key = calls[0].header("idempotency-key").unwrap();
    for call in &calls {
        assert_eq!(call.path, "/api/v1/ai-hub/workflows/wf_1/execute");
        assert_eq!(call.header("idempotency-key"), Some(key));
        assert_eq!(
            call.header("authorization"),
            Some(format!("Bearer {KEY}").as_str())
        );
        assert_eq!(call.json(), json!({"input": {"n": 1}}));
    }
}

#[tokio::test]
async fn what_might_be_done_twice_is_not_repeated() {
    let id = "wf_exec_1".parse().unwrap();
    let (endpoint, client) = answering([Reply::close(), problem(503, "outcome-unknown", json!({}))]).await;
    assert!(matches!(client.retry(&id).await, Err(Error::NoAnswer(_))));
    assert!(
        client
            .delete_execution(&id)
            .await
            .unwrap_err()
            .is("outcome-unknown")
    );
    assert_eq!(endpoint.calls().len(), 2);
}

#[tokio::test]
async fn what_was_surely_not_done_is_repeated_whatever_it_is() {
    let (endpoint, client) = answering([
        problem(503, "unavailable", json!({})),
        problem(429, "rate-limit", json!({})),
        execution("PENDING"),
    ])
    .await;
    client.retry(&"wf_exec_1".parse().unwrap()).await.unwrap();
    assert_eq!(endpoint.calls().len(), 3);
}

#[tokio::test]
async fn retry_after_is_followed_when_it_is_bearable() {
    let (endpoint, client) = answering([
        problem(503, "unavailable", json!({})).header("retry-after", "1"),
        execution("PENDING"),
        problem(429, "limit", json!({"limit": 1000, "used": 1000})).header("retry-after", "86400"),
    ])
    .await;
    client.submit(&submit()).await.unwrap();
    let calls = endpoint.calls();
    assert!(calls[1].at_micros() - calls[0].at_micros() >= 1_000_000);
    let error = client.submit(&submit()).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.kind(), &problem.more["limit"]), ("limit", &json!(1000)));
    assert_eq!(endpoint.calls().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_told_at_once_with_everything_that_is_wrong() {
    let faults = json!({"errors": [{"path": "$.name", "code": "missing", "message": "`name` is required"}]});
    let (endpoint, client) =
        answering([problem(422, "invalid", faults), Reply::text(404, "no such host")]).await;
    let error = client.create_workflow(&json!({})).await.unwrap_err();
    assert!(error.is("invalid"));
    let text = error.to_string();
    assert!(
        text.contains("422 A title: Some advice.") && text.contains("$.name: `name` is required"),
        "{text}"
    );
    let other = client.workflow(&"wf_1".parse().unwrap()).await.unwrap_err();
    assert!(
        other.to_string().contains("404 Not Found: no such host"),
        "{other}"
    );
    assert_eq!(endpoint.calls().len(), 2);
}

#[tokio::test]
async fn a_wait_goes_on_until_the_end() {
    let (endpoint, client) = answering([
        execution("PENDING"),
        Reply::close(),
        execution("RUNNING"),
        execution("COMPLETED"),
    ])
    .await;
    let ended = client.submit_and_wait(&submit()).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Completed);
    let calls = endpoint.calls();
    assert!(calls.iter().all(|call| call.header("prefer") == Some("wait=30")));
    let paths: Vec<_> = calls
        .iter()
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    assert_eq!(paths[0], "POST /api/v1/ai-hub/workflows/wf_1/execute");
    assert_eq!(paths[1..], ["GET /api/v1/ai-hub/executions/wf_exec_1"; 3]);
}

#[tokio::test]
async fn names_are_parts_of_a_path_whatever_they_hold() {
    let id = "wf_exec_1".parse().unwrap();
    let (endpoint, client) = answering([Reply::json(202, json!({})), execution("PENDING")]).await;
    client
        .signal(&id, "order paid/é?", &json!({"by": "Ada"}), "k")
        .await
        .unwrap();
    client.replay(&id, Revision::Newest, "k").await.unwrap();
    let calls = endpoint.calls();
    assert_eq!(
        calls[0].path,
        "/api/v1/ai-hub/executions/wf_exec_1/signals/order%20paid%2F%C3%A9%3F"
    );
    assert_eq!(calls[1].json(), json!({"revision": "newest"}));
}

#[tokio::test]
async fn a_journal_is_read_to_its_end() {
    let entry = |seq| json!({"seq": seq, "type": "skipped", "path": "a", "at": 1});
    let (endpoint, client) = answering([
        Reply::json(200, json!({"entries": [entry(0), entry(1)], "next": 1})),
        Reply::json(200, json!({"entries": [entry(2)], "next": null})),
    ])
    .await;
    let entries = client.journal(&"wf_exec_1".parse().unwrap()).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(endpoint.calls()[1].query, "limit=1000&after=1");
}

#[tokio::test]
async fn a_workflow_is_changed_only_as_it_was_seen() {
    let view = json!({
        "id": "wf_1", "name": "Hello", "description": null, "version": "1.0.0", "tags": [], "isActive": true, "revision": 2,
        "createdAt": "2030-01-01T00:00:00Z", "updatedAt": "2030-01-01T00:00:00Z",
    });
    let found = json!([{"id": "wf_1", "name": "Hello"}, {"id": "wf_2", "name": "Hello, world"}]);
    let (endpoint, client) = answering([
        Reply::json(200, json!({"workflows": found, "total": 2})),
        Reply::json(200, json!({"workflow": view})).header("etag", "\"7\""),
        problem(412, "stale", json!({})),
    ])
    .await;
    let named = client.workflows_named("Hello").await.unwrap();
    let (workflow, tag) = client.workflow_tagged(&named[0]).await.unwrap();
    assert_eq!((named.len(), workflow.revision), (1, 2));
    let error = client
        .update_workflow(&workflow.id, &tag, &json!({"tags": ["a"]}))
        .await;
    assert!(error.unwrap_err().is("stale"));
    let calls = endpoint.calls();
    assert_eq!(calls[2].header("if-match"), Some("\"7\""));
    assert_eq!(calls[2].json(), json!({"tags": ["a"]}));
}
