//! Follow: an execution's events, one after the other.

use gristmill_client::{Error, Event, Events};
use gristmill_testkit::Reply;
use serde_json::json;

use crate::world::{answering, problem};

fn stream(events: &str) -> Reply {
    Reply::text(200, events).header("content-type", "text/event-stream")
}

fn status(id: &str, status: &str) -> String {
    format!(":\n\nevent: status\nid: {id}\ndata: {{\"status\":\"{status}\",\"attempt\":1}}\n\n")
}

async fn rest(mut events: Events) -> Result<Vec<Event>, Error> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await? {
        all.push(event);
    }
    Ok(all)
}

#[tokio::test]
async fn a_stream_that_breaks_is_taken_up_where_it_ended() {
    let half = "event: status\nid: 1-COMPLETED-1\ndata: {\"status\"";
    let (endpoint, client) = answering([
        stream(&status("0-PENDING-0", "PENDING")),
        problem(503, "too-many-followers", json!({})),
        Reply::close(),
        stream(&(status("0-RUNNING-1", "RUNNING") + half)),
        stream(&status("1-COMPLETED-1", "COMPLETED")),
        Reply::text(204, ""),
    ])
    .await;
    let all = rest(client.follow(&"wf_exec_1".parse().unwrap())).await.unwrap();
    let ids: Vec<_> = all.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(
        ids,
        ["0-PENDING-0", "0-RUNNING-1", "1-COMPLETED-1", "1-COMPLETED-1"]
    );
    // What the API does not say again is known all the same.
    let end = all.last().unwrap();
    assert!(end.is_end());
    assert_eq!(end.data, json!({"reason": "ended", "status": "COMPLETED"}));
    let behind: Vec<_> = endpoint
        .calls()
        .iter()
        .map(|call| call.header("last-event-id").map(str::to_owned))
        .collect();
    let behind: Vec<_> = behind.iter().map(Option::as_deref).collect();
    let (pending, running) = (Some("0-PENDING-0"), Some("0-RUNNING-1"));
    assert_eq!(
        behind,
        [None, pending, pending, pending, running, Some("1-COMPLETED-1")]
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_followed() {
    let (endpoint, client) = answering([problem(404, "not-found", json!({}))]).await;
    let error = rest(client.follow(&"wf_exec_1".parse().unwrap())).await;
    assert!(error.unwrap_err().is("not-found"));
    assert_eq!(endpoint.calls().len(), 1);
}
