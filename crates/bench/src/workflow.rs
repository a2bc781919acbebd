//! The reference workflow: the same graph in every benchmark, small enough that the system around it is what is measured.

use serde_json::{Value, json};

/// `trigger → a → {b, c} → d`: four transforms with one computed key each. Every node's result is persisted.
pub(crate) fn reference() -> Value {
    let node = |id: &str, expression: &str| json!({"id": id, "type": "transform", "data": {"set": {id: expression}}});
    let edge = |source: &str, target: &str| json!({"source": source, "target": target});
    json!({
        "name": "Benchmark",
        "nodes": [
            {"id": "start", "type": "trigger"},
            node("a", "{{ number + 1 }}"),
            node("b", "{{ a * 2 }}"),
            node("c", "{{ a * 3 }}"),
            node("d", "{{ b + c }}"),
        ],
        "edges": [edge("start", "a"), edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d")],
    })
}

/// What an execution is started with.
pub(crate) fn input(number: u64) -> String {
    format!(r#"{{"number":{number}}}"#)
}
