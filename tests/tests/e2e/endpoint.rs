//! Endpoint: one that keeps a worker busy for as long as a test wants.

use std::sync::atomic::{AtomicBool, Ordering};

use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use serde_json::json;

/// Answers every call at once, except the first one of each of these paths, which waits for its gate.
pub async fn holding_the_first(paths: &[(&str, &Gate)]) -> RecordingEndpoint {
    let held: Vec<_> = paths
        .iter()
        .map(|(path, gate)| ((*path).to_owned(), (*gate).clone(), AtomicBool::new(false)))
        .collect();
    RecordingEndpoint::answering(move |call| {
        let gated = held.iter().find(|(path, ..)| *path == call.path);
        match gated {
            Some((_, gate, seen)) if !seen.swap(true, Ordering::Relaxed) => {
                Reply::json(200, json!({"answer": "late"})).after(gate)
            }
            _ => Reply::json(200, json!({"answer": "prompt"})),
        }
    })
    .await
}

/// The idempotency keys that were sent to this path, in the order of arrival.
pub fn keys(endpoint: &RecordingEndpoint, path: &str) -> Vec<String> {
    let calls = endpoint.calls().into_iter().filter(|call| call.path == path);
    calls
        .map(|call| call.header("idempotency-key").unwrap().to_owned())
        .collect()
}
