//! Events: following an execution.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use gristmill_core::ExecutionId;
use gristmill_core::journal::Entry;
use gristmill_testkit::TestDatabase;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{BASE, World, add_organization, completed, options, send};

/// One event, as it came.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// A stream that is being read.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn of(world: &World, id: &ExecutionId, last_event_id: &str) -> Self {
        let request = world
            .request(Method::GET, &path(id))
            .header("last-event-id", last_event_id);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event
                        .lines()
                        .find_map(|line| line.strip_prefix(&format!("{name}: ")));
                    line.unwrap_or_default().to_owned()
                };
                let event = Event {
                    name: field("event"),
                    id: field("id"),
                    data: serde_json::from_str(&field("data")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn path(id: &ExecutionId) -> String {
    format!("{BASE}/executions/{id}/events")
}

fn entry(at: i64) -> Entry {
    Entry::Skipped {
        path: "shape\n".to_owned(),
        at,
    }
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

pub(crate) async fn a_stream_tells_what_happens_and_ends_with_the_execution(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let mut events = Events::of(&world, &id, "").await;
    let pending = events.next().await.unwrap();
    assert_eq!(
        (&*pending.name, &pending.data["status"]),
        ("status", &json!("PENDING"))
    );
    world.claim(&id).await;
    let running = events.next().await.unwrap();
    assert_eq!(running.data, json!({"status": "RUNNING", "attempt": 1}));
    world.append(&id, &[entry(0), entry(1)]).await;
    let first = events.next().await.unwrap();
    assert_eq!(
        first.data,
        json!({"seq": 0, "type": "skipped", "path": "shape\n", "at": 0})
    );
    assert_eq!(events.next().await.unwrap().data["seq"], 1);
    world.settle(&id, &[entry(2)], completed()).await;
    let rest = events.rest().await;
    assert_eq!(names(&rest), ["journal", "status", "end"]);
    assert_eq!(rest[1].data["status"], "COMPLETED");
    assert_eq!(rest[2].data, json!({"reason": "ended", "status": "COMPLETED"}));

    // Whoever was cut off anywhere goes on there.
    let whole = Events::of(&world, &id, "").await.rest().await;
    assert_eq!(names(&whole), ["journal", "journal", "journal", "status", "end"]);
    let resumed = Events::of(&world, &id, &first.id).await.rest().await;
    assert_eq!(names(&resumed), ["journal", "journal", "status", "end"]);
    assert_eq!(resumed[0].data["seq"], 1);
    // Whoever has seen everything need not come again.
    let request = world
        .request(Method::GET, &path(&id))
        .header("last-event-id", &rest[2].id);
    assert_eq!(send(request).await.status, 204);
    for last in ["x", "4", "3-COMPLETED", "-1", "3-GONE-1"] {
        let request = world
            .request(Method::GET, &path(&id))
            .header("last-event-id", last);
        assert_eq!(
            send(request).await.problems()[0].0,
            "header Last-Event-ID",
            "{last}"
        );
    }
}

/// Everyone begins while entries are being written, each at another of them.
pub(crate) async fn nothing_is_missed_between_the_past_and_the_stream(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    world.claim(&id).await;
    let mut streams = Vec::new();
    for at in 0..150 {
        world.append(&id, &[entry(at)]).await;
        if at % 15 == 7 {
            // It is read from now on, by a task of its own.
            let events = Events::of(&world, &id, "").await;
            streams.push(tokio::spawn(events.rest()));
        }
    }
    world.settle(&id, &[entry(150)], completed()).await;
    for events in join_all(streams).await {
        let events = events.unwrap();
        let seqs: Vec<_> = events
            .iter()
            .filter_map(|event| event.data["seq"].as_i64())
            .collect();
        assert_eq!(seqs, (0..=150).collect::<Vec<_>>());
        assert_eq!(events.last().unwrap().name, "end");
    }
}

pub(crate) async fn the_stream_of_a_deleted_execution_ends(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let mut events = Events::of(&world, &id, "").await;
    events.next().await.unwrap();
    // In one step, so that its end cannot be seen first.
    let url = world.database.as_ref().unwrap().url().to_owned();
    if url.starts_with("sqlite:") {
        return;
    }
    let client = gristmill_store::connect_postgres(&gristmill_store::Options::new(&url))
        .await
        .unwrap();
    let delete = format!("DELETE FROM executions WHERE id = '{id}'");
    client.batch_execute(&delete).await.unwrap();
    let rest = events.rest().await;
    assert_eq!(names(&rest), ["end"]);
    assert_eq!(rest[0].data, json!({"reason": "deleted", "status": null}));
}

pub(crate) async fn so_many_follow_and_no_more(database: TestDatabase) {
    let limits = gristmill_api::Options {
        max_followers: 3,
        max_followers_per_organization: 2,
        ..options()
    };
    let mut world = World::with(database, limits).await;
    let id = world.execution().await;
    let kept = Events::of(&world, &id, "").await;
    let _two = Events::of(&world, &id, "").await;
    world.get(&path(&id)).await.problem(429, "follower-limit");
    let key = add_organization(&world.store).await.1;
    let ours = std::mem::replace(&mut world.key, key);
    world.get(&path(&id)).await.problem(404, "not-found");
    let theirs = world.execution().await;
    let _three = Events::of(&world, &theirs, "").await;
    let refused = world.get(&path(&theirs)).await;
    refused.problem(503, "too-many-followers");
    assert_eq!(refused.header("retry-after"), Some("2"));
    // A place is free again once its stream is closed, which the server notices when it next has something to tell.
    drop(kept);
    world.key = ours;
    world.claim(&id).await;
    let mut status = 429;
    while status == 429 {
        // The answer's head is enough: its body is another stream.
        let answer = world.request(Method::GET, &path(&id)).send().await.unwrap();
        status = answer.status().as_u16();
        tokio::task::yield_now().await;
    }
    assert_eq!(status, 200);
}

pub(crate) async fn a_stream_ends_with_its_key(database: TestDatabase) {
    let limits = gristmill_api::Options {
        key_ttl: Duration::ZERO,
        ..options()
    };
    let mut world = World::with(database, limits).await;
    let id = world.execution().await;
    let made = async |world: &World, key: Value| {
        let made = world.post(&format!("{BASE}/keys"), &key).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()
    };
    let revoked = made(&world, json!({"name": "revoked"})).await;
    let soon = Utc::now() + Duration::from_secs(8);
    let expired = made(&world, json!({"name": "expired", "expiresAt": soon})).await;
    let mut streams = Vec::new();
    let owner = world.key.clone();
    for key in [&revoked, &expired] {
        world.key = key["apiKey"].as_str().unwrap().to_owned();
        let mut events = Events::of(&world, &id, "").await;
        assert_eq!(events.next().await.unwrap().name, "status");
        streams.push(events);
    }
    world.key = owner;
    let mut kept = Events::of(&world, &id, "").await;
    kept.next().await.unwrap();
    let path = format!("{BASE}/keys/{}", revoked["key"]["id"].as_str().unwrap());
    assert_eq!(world.delete(&path).await.status, 204);
    for events in streams {
        let rest = timeout(Duration::from_secs(60), events.rest()).await;
        assert_eq!(rest.expect("the stream ends"), []);
    }
    // Another key's goes on.
    world.claim(&id).await;
    assert_eq!(kept.next().await.unwrap().data["status"], "RUNNING");
}

pub(crate) async fn a_stream_outlives_the_time_of_a_request_but_not_the_process(database: TestDatabase) {
    let limits = gristmill_api::Options {
        request_timeout: Duration::from_millis(200),
        ..options()
    };
    let world = World::with(database, limits).await;
    let id = world.execution().await;
    let mut events = Events::of(&world, &id, "").await;
    events.next().await.unwrap();
    // A request that began later has taken too long by now.
    let mut stream = TcpStream::connect(&world.address).await.unwrap();
    let head = format!(
        "POST {BASE}/workflows HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{",
        world.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    world.claim(&id).await;
    assert_eq!(events.next().await.unwrap().data["status"], "RUNNING");
    world.shutdown.cancel();
    assert_eq!(events.rest().await, []);
}
