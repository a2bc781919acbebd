//! World: an API that is played, and its client.

use std::sync::Mutex;
use std::time::Duration;

use gristmill_client::{Client, Retry};
use gristmill_testkit::{RecordingEndpoint, Reply};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "gm_test";

/// An endpoint that gives these answers one after the other, and a client of it that repeats without much ado.
pub(crate) async fn answering(replies: impl IntoIterator<Item = Reply>) -> (RecordingEndpoint, Client) {
    let mut replies: Vec<_> = replies.into_iter().collect();
    replies.reverse();
    let replies = Mutex::new(replies);
    let endpoint = RecordingEndpoint::answering(move |_| {
        let next = replies.lock().unwrap().pop();
        next.unwrap_or_else(|| Reply::text(418, "asked once too often"))
    })
    .await;
    let client = Client::new(&endpoint.url(), KEY).unwrap().with_retry(Retry {
        initial: Duration::from_millis(1),
        max: Duration::from_secs(2),
        give_up_after: Duration::from_secs(20),
        ..Retry::default()
    });
    (endpoint, client)
}

pub(crate) fn execution(status: &str) -> Reply {
    let view = json!({
        "id": "wf_exec_1", "workflowId": "wf_1", "workflowType": "automation", "revision": 1, "status": status, "attempt": 1,
        "waitsFor": null, "wakeAt": null, "error": null, "nodesExecuted": 0, "tokensUsed": 0, "costMicros": 0, "cost": 0.0,
        "duration": null, "createdAt": "2030-01-01T00:00:00Z", "startedAt": null, "completedAt": null,
    });
    Reply::json(200, json!({"execution": view}))
}

pub(crate) fn problem(status: u16, kind: &str, more: Value) -> Reply {
    let mut body = json!({
        "type": format!("urn:gristmill:problem:{kind}"), "title": "A title", "status": status, "detail": "Some advice.",
        "instance": "req_1",
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Reply::json(status, body)
}
