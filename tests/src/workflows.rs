//! Workflows: definitions that tests run.

use gristmill_testkit::RecordingEndpoint;
use serde_json::{Value, json};

/// A trigger, then these nodes one after the other, each a POST to the endpoint's path of the same name, then a
/// transform that needs the last answer.
///
/// Each call is made once: a second one is a second run of the node, after a worker was lost.
pub fn chain(endpoint: &RecordingEndpoint, calls: &[&str]) -> Value {
    let mut nodes = vec![json!({"id": "start", "type": "trigger"})];
    for call in calls {
        nodes.push(json!({"id": call, "type": "integration", "data": {
            "method": "POST",
            "url": format!("{}/{call}", endpoint.url()),
            "body": {"number": "{{ number }}"},
            "output": call,
            "retry": {"maxAttempts": 1},
        }}));
    }
    nodes.push(json!({"id": "end", "type": "transform", "data": {"set": {"doubled": "{{ number * 2 }}"}}}));
    let edges: Vec<_> = nodes
        .windows(2)
        .map(|pair| {
            let (source, target) = (&pair[0]["id"], &pair[1]["id"]);
            json!({"id": format!("{source}-{target}"), "source": source, "target": target})
        })
        .collect();
    json!({"name": "chain", "nodes": nodes, "edges": edges})
}

/// The same definition with these keys of one node's data set.
///
/// # Panics
/// When there is no such node.
pub fn changed(mut definition: Value, node: &str, data: &Value) -> Value {
    let nodes = definition["nodes"]
        .as_array_mut()
        .expect("a definition has nodes");
    let found = nodes.iter_mut().find(|candidate| candidate["id"] == node);
    let found = found.expect("no such node");
    for (key, value) in data.as_object().into_iter().flatten() {
        found["data"][key] = value.clone();
    }
    definition
}
