//! What the executions of a soak do: their workflows, and the endpoint that these call.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill_testkit::{Gate, RecordedCall, RecordingEndpoint, Reply};
use serde_json::{Value, json};

/// Longer than a node waits.
const HANGS_FOR: Duration = Duration::from_secs(5);

/// How long a node waits for its answer.
const TIMEOUT_MS: u32 = 3_000;

/// An endpoint that answers `/good/…` well, `/broken/…` never, and `/moody/…` badly for the first few times: with 500,
/// with 429 and a time to come back, by closing the connection, or not at all. Good answers hold the caller's key.
pub async fn endpoint() -> RecordingEndpoint {
    let seen = Arc::<Mutex<HashMap<String, u64>>>::default();
    RecordingEndpoint::answering(move |call| {
        let key = call.header("idempotency-key").unwrap_or_default();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let times = seen.entry(key.to_owned()).or_default();
        *times += 1;
        let mood = hash(&(key, *times));
        if call.path.starts_with("/broken/") {
            Reply::text(500, "broken")
        } else if call.path.starts_with("/moody/") && *times <= hash(&key) % 4 {
            bad_answer(mood)
        } else {
            good_answer(key, call)
        }
    })
    .await
}

fn good_answer(key: &str, call: &RecordedCall) -> Reply {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    Reply::json(200, json!({"key": key, "number": body["number"]}))
}

fn bad_answer(mood: u64) -> Reply {
    match mood % 6 {
        0 | 1 => Reply::text(500, "in a bad mood"),
        // Waited out by the worker.
        2 => Reply::text(429, "later").header("retry-after", "1"),
        // Longer than a worker waits: the execution is suspended.
        3 => Reply::text(429, "much later").header("retry-after", "3"),
        4 => Reply::close(),
        _ => {
            let gate = Gate::new();
            let opens = gate.clone();
            tokio::spawn(async move {
                tokio::time::sleep(HANGS_FOR).await;
                opens.open();
            });
            Reply::text(200, "too late").after(&gate)
        }
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// A workflow, and how its executions have to end.
pub struct Workflow {
    /// Its definition.
    pub definition: Value,
    /// Whether its executions have to fail.
    pub fails: bool,
    /// How many of a hundred submits are for it.
    pub share: u32,
}

/// The workflows of each organization.
pub fn workflows(endpoint: &str) -> [Workflow; 3] {
    let good = |definition, share| Workflow {
        definition,
        fails: false,
        share,
    };
    [
        good(diamond(endpoint), 50),
        good(retries(endpoint), 45),
        Workflow {
            definition: failing(endpoint),
            fails: true,
            share: 5,
        },
    ]
}

/// A branch by a condition, two calls side by side, and a join of both.
fn diamond(endpoint: &str) -> Value {
    let nodes = [
        json!({"id": "start", "type": "trigger"}),
        call(endpoint, "good", "first", 10),
        json!({"id": "even", "type": "condition", "data": {"expression": "number % 2 == 0"}}),
        call(endpoint, "good", "left", 10),
        call(endpoint, "moody", "right", 10),
        call(endpoint, "good", "odd", 10),
        json!({"id": "join", "type": "transform", "data": {"set": {"doubled": "{{ number * 2 }}"}}}),
    ];
    let edges = [
        edge("start", "first", None),
        edge("first", "even", None),
        edge("even", "left", Some("true")),
        edge("even", "right", Some("true")),
        edge("even", "odd", Some("false")),
        edge("left", "join", None),
        edge("right", "join", None),
        edge("odd", "join", None),
    ];
    json!({"name": "diamond", "nodes": nodes, "edges": edges})
}

/// One call after the other, most of which fail at first; in another lane.
fn retries(endpoint: &str) -> Value {
    let nodes = [
        json!({"id": "start", "type": "trigger"}),
        call(endpoint, "moody", "one", 10),
        call(endpoint, "moody", "two", 10),
    ];
    let edges = [edge("start", "one", None), edge("one", "two", None)];
    json!({"name": "retries", "nodes": nodes, "edges": edges, "settings": {"lane": "bulk"}})
}

/// A call that never works.
fn failing(endpoint: &str) -> Value {
    let nodes = [
        json!({"id": "start", "type": "trigger"}),
        call(endpoint, "broken", "call", 2),
    ];
    json!({"name": "failing", "nodes": nodes, "edges": [edge("start", "call", None)]})
}

fn call(endpoint: &str, mood: &str, id: &str, attempts: u32) -> Value {
    json!({"id": id, "type": "integration", "data": {
        "method": "POST",
        "url": format!("{endpoint}/{mood}/{id}"),
        "body": {"number": "{{ number }}", "organization": "{{ organization }}"},
        "output": id,
        "timeoutMs": TIMEOUT_MS,
        "retry": {"maxAttempts": attempts, "initialIntervalMs": 100, "maxIntervalMs": 3_000},
    }})
}

fn edge(source: &str, target: &str, handle: Option<&str>) -> Value {
    let mut edge = json!({"id": format!("{source}-{target}"), "source": source, "target": target});
    if let Some(handle) = handle {
        edge["sourceHandle"] = handle.into();
    }
    edge
}
