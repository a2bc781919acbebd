//! What a definition may not be: every problem at once, each with its path. Rule 29: the keys of `data`.

use serde_json::{Value, json};

use crate::support::{World, after_trigger, run, set, workflow};

fn problems(document: &Value) -> Vec<String> {
    let problems = World::new().compile(document).err().unwrap_or_default();
    problems.iter().map(|problem| problem.to_string()).collect()
}

#[test]
fn a_workflow_has_nodes_and_a_trigger() {
    assert_eq!(
        problems(&json!({})),
        ["$.nodes: Workflow must have at least one node"]
    );
    assert_eq!(
        problems(&workflow(&[("a", "transform", set("x", 1))], &[])),
        ["$.nodes: Workflow must have a trigger node"]
    );
    assert_eq!(
        problems(&workflow(&[("t", "trigger", json!({"disabled": true}))], &[])),
        ["$.nodes: Workflow must have a trigger node that is not disabled"]
    );
}

#[test]
fn every_cycle_is_named_by_the_nodes_on_it() {
    let data = || set("x", 1);
    let document = after_trigger(
        &[
            ("before", "transform", data()),
            ("a", "transform", data()),
            ("b", "transform", data()),
            ("c", "transform", data()),
            ("behind", "transform", data()),
            ("x", "transform", data()),
            ("y", "transform", data()),
        ],
        &[
            "t>before", "before>a", "a>b", "b>c", "c>a", "c>behind", "x>y", "y>x", "behind>x",
        ],
    );
    assert_eq!(
        problems(&document),
        [
            "$.edges: Workflow contains cycles: a → b → c → a",
            "$.edges: Workflow contains cycles: x → y → x"
        ]
    );
}

#[test]
fn every_problem_is_found_at_once() {
    let document = json!({
        "nodes": [
            {"id": "t", "type": "trigger", "data": {"schedule": "daily"}},
            {"id": "t", "type": "transform", "data": {"set": {"a": "{{ 1 + }}"}}},
            {"id": "u", "type": "teleport"},
            {"id": "v", "type": "transform", "data": {}, "parentId": "t"},
            {"id": "w", "type": "transform", "data": {"set": [], "disabled": "yes", "timeoutMs": 0}},
        ],
        "edges": [{"source": "t", "target": "nowhere"}],
        "settings": {"maxParallel": "many"},
    });
    let found = problems(&document);
    let expected = [
        "$.settings.maxParallel: expected a whole number, found a string",
        "$.nodes[1].id: the id `t` is taken by $.nodes[0]",
        "$.nodes[0].data.schedule: unknown key `schedule`; the keys here are inputSchema",
        "$.nodes[1].data.set.a: column 4: the expression does not parse: syntax error: unexpected end of input, expected expression",
        "$.nodes[2].type: unknown node type `teleport`; the types are call, condition, forEach, signal, subWorkflow, transform, trigger, wait",
        "$.nodes[3].data.set: `set` or `expression` is required: an object of the keys to set and their values, or an expression that comes to an object",
        "$.nodes[4].data.set: expected an object, found an array",
        "$.nodes[4].data.disabled: expected a boolean, found a string",
        "$.nodes[4].data.timeoutMs: expected 1 to 86400000",
        "$.nodes[3].parentId: `t` is no node that has a body",
        "$.edges[0].target: there is no node `nowhere`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_only_follows_from_an_unreadable_node_is_not_reported() {
    let document = json!({
        "nodes": [{"id": "t"}, {"id": "a", "type": "transform", "data": {"set": {}}}],
        "edges": [{"source": "t", "target": "a"}],
    });
    assert_eq!(problems(&document), ["$.nodes[0].type: `type` is required"]);
}

#[tokio::test]
async fn rule_29_data_holds_the_common_keys_the_kinds_own_and_a_free_ui() {
    let common = json!({
        "label": "A", "disabled": false, "output": "a", "retry": {"maxAttempts": 2, "initialIntervalMs": 5,
        "multiplier": 1.5, "maxIntervalMs": 100}, "timeoutMs": 1_000, "onError": "fail",
        "ui": {"anything": [1, {"at": "all"}]}, "set": {"x": 1},
    });
    let document = after_trigger(&[("a", "transform", common)], &["t>a"]);
    assert_eq!(run(&document, json!({})).await.output(), json!({"a": {"x": 1}}));
}

#[test]
fn rule_29_anything_else_in_data_is_refused_with_its_path() {
    let data = json!({
        "set": {}, "color": "red", "ui": 3, "label": 1, "output": "",
        "retry": {"maxAttempts": 0, "times": 3, "multiplier": 0.5},
    });
    assert_eq!(
        problems(&after_trigger(&[("a", "transform", data)], &["t>a"])),
        [
            "$.nodes[1].data.color: unknown key `color`; the keys here are set, expression",
            "$.nodes[1].data.label: expected a string, found a number",
            "$.nodes[1].data.ui: expected an object, found a number",
            "$.nodes[1].data.output: `output` must not be empty",
            "$.nodes[1].data.retry.maxAttempts: expected 1 to 100",
            "$.nodes[1].data.retry.multiplier: expected 1 to 100",
            "$.nodes[1].data.retry.times: unknown key `times`; the keys here are maxAttempts, initialIntervalMs, multiplier, maxIntervalMs, jitter, nonRetryable",
        ]
    );
}
