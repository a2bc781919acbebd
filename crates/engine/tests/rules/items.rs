//! Rules 21 to 23: `forEach`.

use gristmill_core::journal::Entry;
use gristmill_engine::{NodeFailure, Outcome};
use serde_json::{Value, json};

use crate::support::{Act, Harness, World, after_trigger, run, workflow};

/// Gives nodes of a document their parents: `(node, parent)`.
fn inside(mut document: Value, parents: &[(&str, &str)]) -> Value {
    for node in document["nodes"].as_array_mut().unwrap() {
        if let Some((_, parent)) = parents.iter().find(|(id, _)| node["id"] == *id) {
            node["parentId"] = json!(parent);
        }
    }
    document
}

/// `t` → `each` over `items`, with a body `a` → `b`.
fn two_steps(each: Value, a: (&str, Value), b: (&str, Value)) -> Value {
    let document = after_trigger(
        &[("each", "forEach", each), ("a", a.0, a.1), ("b", b.0, b.1)],
        &["t>each", "a>b"],
    );
    inside(document, &[("a", "each"), ("b", "each")])
}

fn doubling(each: Value) -> Value {
    two_steps(
        each,
        ("transform", json!({"set": {"twice": "{{ item * 2 }}"}})),
        ("transform", json!({"set": {"text": "{{ index }}: {{ twice }}"}})),
    )
}

#[tokio::test]
async fn rule_21_the_body_runs_once_for_each_item_and_the_output_keeps_their_order() {
    for each in [
        json!({"items": "numbers"}),
        json!({"items": "{{ numbers }}", "concurrency": 3}),
        json!({"items": [5, "{{ numbers[1] }}"]}),
    ] {
        let ended = run(&doubling(each), json!({"numbers": [5, 6]})).await;
        assert_eq!(
            ended.output()["items"],
            json!([{"twice": 10, "text": "0: 10"}, {"twice": 12, "text": "1: 12"}])
        );
    }
}

#[tokio::test]
async fn rule_21_no_items_are_an_empty_list_and_what_is_no_array_fails_the_node() {
    let ended = run(&doubling(json!({"items": "[]"})), json!({})).await;
    assert_eq!(ended.output(), json!({"items": []}));
    for no_array in ["'text'", "{'a': 1}", "3", "none"] {
        let ended = run(&doubling(json!({"items": no_array})), json!({})).await;
        assert_eq!(ended.failure(), "no_array at each", "{no_array}");
    }
}

#[tokio::test]
async fn rule_21_the_items_are_evaluated_once_and_journalled() {
    let first = run(&doubling(json!({"items": "range(3)|list"})), json!({})).await;
    let expanded: Vec<_> = first
        .journal
        .iter()
        .filter_map(|entry| match entry {
            Entry::Expanded { items, .. } => Some(items.to_vec()),
            _ => None,
        })
        .collect();
    assert_eq!(expanded, [[json!(0), json!(1), json!(2)]]);

    let mut again = Harness::new(
        &World::new(),
        &doubling(json!({"items": "range(3)|list"})),
        json!({}),
    );
    again.history = first.journal[..2].to_vec();
    again.history.push(Entry::Expanded {
        path: "each".into(),
        at: 0,
        items: vec![json!(7)].into(),
    });
    again.history.remove(1);
    assert_eq!(
        again.go().await.output()["items"],
        json!([{"twice": 14, "text": "0: 14"}])
    );
}

#[test]
fn rule_21_what_a_for_each_may_not_be() {
    let plain = || json!({"set": {}});
    let document = inside(
        after_trigger(
            &[
                (
                    "each",
                    "forEach",
                    json!({"items": "x", "retry": {"maxAttempts": 2}}),
                ),
                ("a", "transform", plain()),
                ("out", "transform", plain()),
                ("lone", "forEach", json!({"items": "x"})),
                ("orphan", "transform", plain()),
                ("odd", "transform", plain()),
                ("bad", "forEach", json!({"concurrency": 0, "mode": "maybe"})),
                ("c", "transform", plain()),
            ],
            &["t>each", "a>out", "t>a"],
        ),
        &[("a", "each"), ("orphan", "nowhere"), ("odd", "out"), ("c", "bad")],
    );
    let problems = World::new().compile(&document).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.path.as_str(), problem.code))
        .collect();
    assert_eq!(
        found,
        [
            ("$.nodes[1].data.retry", "not_retried"),
            ("$.nodes[7].data.items", "missing"),
            ("$.nodes[7].data.concurrency", "out_of_range"),
            ("$.nodes[7].data.mode", "unknown_value"),
            ("$.nodes[5].parentId", "unknown_node"),
            ("$.nodes[6].parentId", "unknown_parent"),
            ("$.nodes[4]", "empty_body"),
            ("$.edges[1]", "crosses_border"),
            ("$.edges[2]", "crosses_border"),
        ]
    );
}

#[test]
fn rule_21_bodies_are_nested_to_the_limit_and_never_in_themselves() {
    let nested = |depth: usize| {
        let mut nodes = vec![json!({"id": "t", "type": "trigger"})];
        for level in 0..depth {
            let mut node = json!({"id": format!("e{level}"), "type": "forEach", "data": {"items": "x"}});
            if level > 0 {
                node["parentId"] = json!(format!("e{}", level - 1));
            }
            nodes.push(node);
        }
        nodes.push(json!({"id": "leaf", "type": "transform", "data": {"set": {}},
            "parentId": format!("e{}", depth - 1)}));
        json!({"nodes": nodes})
    };
    World::new().plan(&nested(4));
    let problems = World::new().compile(&nested(5)).unwrap_err();
    assert_eq!(problems[0].code, "nesting_limit");
    assert!(problems[0].message.contains("limits.max_nesting"));
    let mut circle = nested(2);
    circle["nodes"][1]["parentId"] = json!("e1");
    assert!(
        World::new()
            .compile(&circle)
            .unwrap_err()
            .iter()
            .all(|problem| problem.code == "nesting_limit")
    );
}

#[tokio::test]
async fn rule_22_a_body_sees_its_item_the_scope_around_it_and_its_own_ancestors() {
    let document = inside(
        after_trigger(
            &[
                (
                    "before",
                    "transform",
                    json!({"set": {"before": 1, "shared": "outer"}}),
                ),
                ("beside", "transform", json!({"set": {"beside": 1}})),
                (
                    "each",
                    "forEach",
                    json!({"items": "[{'n': 1}, {'n': 2}]", "output": "each"}),
                ),
                (
                    "a",
                    "transform",
                    json!({"set": {"shared": "inner {{ item.n }}", "item": "hidden"}}),
                ),
                (
                    "b",
                    "transform",
                    json!({"set": {
                        "sees": "{{ shared }} {{ before }} {{ x }} {{ index }} {{ item.n }}",
                        "nodes": "{{ nodes.a.status }} {{ nodes.before.status }} {{ nodes.beside is defined }} {{ nodes.each is defined }}",
                        "beside": "{{ beside is defined }}",
                    }}),
                ),
                ("other", "transform", json!({"set": {"other": "{{ shared }}"}})),
                (
                    "after",
                    "transform",
                    json!({"set": {
                    "after": "{{ nodes.a is defined }} {{ nodes.each.output['items']|length }} {{ shared }}"}}),
                ),
            ],
            &["t>before", "t>beside", "before>each", "a>b", "each>after"],
        ),
        &[("a", "each"), ("b", "each"), ("other", "each")],
    );
    let output = run(&document, json!({"x": "in"})).await.output();
    let item = |n: u32, index: u32| {
        json!({
            "shared": format!("inner {n}"),
            "item": "hidden",
            "other": "outer",
            "sees": format!("inner {n} 1 in {index} {n}"),
            "nodes": "COMPLETED COMPLETED false false",
            "beside": false,
        })
    };
    assert_eq!(output["each"]["items"], json!([item(1, 0), item(2, 1)]));
    assert_eq!(output["after"], "false 2 outer");
    assert_eq!(output["shared"], "outer", "what a body writes stays in its items");
    assert_eq!(output.get("sees"), None);
}

#[tokio::test]
async fn rule_22_bodies_are_nested_and_paths_say_where() {
    let document = inside(
        after_trigger(
            &[
                ("rows", "forEach", json!({"items": "matrix", "concurrency": 2})),
                (
                    "cells",
                    "forEach",
                    json!({"items": "item", "concurrency": 2, "output": "row"}),
                ),
                (
                    "cell",
                    "call",
                    json!({"reply": {"sum": "{{ item + base }}", "at": "{{ index }}"}}),
                ),
            ],
            &["t>rows"],
        ),
        &[("cells", "rows"), ("cell", "cells")],
    );
    let world = World::new();
    let ended = Harness::new(
        &world,
        &document,
        json!({"matrix": [[1, 2], [], [3]], "base": 10}),
    )
    .go()
    .await;
    assert_eq!(
        ended.output()["items"],
        json!([
            {"row": {"items": [{"sum": 11, "at": 0}, {"sum": 12, "at": 1}]}},
            {"row": {"items": []}},
            {"row": {"items": [{"sum": 13, "at": 0}]}},
        ])
    );
    let keys: Vec<_> = world
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|call| call.idempotency_key.clone())
        .collect();
    for key in [
        "wf_exec_1:rows[0]/cells[1]/cell",
        "wf_exec_1:rows[2]/cells[0]/cell",
    ] {
        assert!(keys.contains(&key.to_owned()), "{keys:?}");
    }
    for length in 0..ended.journal.len() {
        let mut again = Harness::new(
            &World::new(),
            &document,
            json!({"matrix": [[1, 2], [], [3]], "base": 10}),
        );
        again.history = ended.journal[..length].to_vec();
        assert_eq!(again.go().await.output(), ended.output(), "from {length}");
    }
}

#[tokio::test]
async fn rule_22_conditions_failures_and_disabled_nodes_work_inside_of_a_body() {
    let document = inside(
        after_trigger(
            &[
                ("each", "forEach", json!({"items": "[1, 2, 3]", "concurrency": 3})),
                ("c", "condition", json!({"expression": "item == 2"})),
                ("two", "transform", json!({"set": {"two": true}})),
                ("bad", "transform", json!({"set": {"x": "{{ item.a.b }}"}})),
                (
                    "caught",
                    "transform",
                    json!({"set": {"caught": "{{ error.code }}"}}),
                ),
                ("off", "transform", json!({"set": {"off": 1}, "disabled": true})),
                (
                    "last",
                    "transform",
                    json!({"set": {"last": "{{ nodes.two.status }} {{ nodes.off.status }}"}}),
                ),
            ],
            &[
                "t>each",
                "c:true>two",
                "c:false>bad",
                "bad:error>caught",
                "two>off",
                "caught>off",
                "off>last",
            ],
        ),
        &[
            ("c", "each"),
            ("two", "each"),
            ("bad", "each"),
            ("caught", "each"),
            ("off", "each"),
            ("last", "each"),
        ],
    );
    let output = run(&document, json!({})).await.output();
    assert_eq!(
        output["items"][1],
        json!({"two": true, "last": "COMPLETED DISABLED"})
    );
    assert_eq!(output["items"][0]["caught"], "template");
    assert_eq!(output["items"][0]["last"], "SKIPPED DISABLED");
}

#[tokio::test]
async fn rule_23_concurrency_counts_items_begun_and_not_ended() {
    let document = two_steps(
        json!({"items": "range(5)|list", "concurrency": 2}),
        ("call", json!({"reply": {"a": "{{ item }}"}})),
        ("signal", json!({"name": "go"})),
    );
    let world = World::new();
    let first = Harness::new(&world, &document, json!({})).go().await;
    assert!(matches!(first.outcome, Outcome::Suspended { wake_at: None }));
    let waiting = |names: Vec<String>| names.iter().filter(|name| name.starts_with("waiting")).count();
    assert_eq!(waiting(first.names()), 2, "an item that waits keeps its place");
    let mut ended = first;
    for n in 0..5 {
        assert!(matches!(ended.outcome, Outcome::Suspended { .. }), "{n}");
        world.send("signal:go", json!({"n": n}));
        ended = Harness::new(&world, &document, json!({}))
            .after(&ended)
            .go()
            .await;
    }
    let items = ended.output()["items"].clone();
    let expected: Vec<_> = (0..5).map(|n| json!({"a": n, "go": {"n": n}})).collect();
    assert_eq!(items, json!(expected));
    assert_eq!(world.calls().len(), 5);
}

#[tokio::test]
async fn rule_23_the_first_item_that_fails_aborts_the_others() {
    let document = two_steps(
        json!({"items": "range(4)|list", "concurrency": 3}),
        ("call", json!({"retry": {"maxAttempts": 1}})),
        ("call", json!({})),
    );
    // Items 0 and 1 hang, item 2 fails, item 3 never begins.
    let broken = Act::Fail(NodeFailure::last("http_status", "gone"));
    let world = World::new().script("a", [Act::Hang, Act::Hang, broken]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.failure(), "http_status at each[2]/a");
    assert_eq!(
        ended.names()[5..],
        [
            "failed:each[2]/a",
            "aborted:each[0]/a",
            "aborted:each[1]/a",
            "failed:each"
        ]
    );
    let Outcome::Failed { error, .. } = ended.outcome else {
        panic!()
    };
    assert_eq!(error.node_id.as_deref(), Some("a"));
}

#[tokio::test]
async fn rule_23_a_failed_item_can_be_routed_by_its_for_each() {
    let mut document = two_steps(
        json!({"items": "range(3)|list", "concurrency": 3}),
        ("call", json!({"retry": {"maxAttempts": 1}})),
        ("call", json!({})),
    );
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.push(json!({"id": "handle", "type": "transform",
        "data": {"set": {"said": "{{ error.code }} {{ error.item.nodeId }}"}}}));
    document["edges"]
        .as_array_mut()
        .unwrap()
        .push(json!({"source": "each", "sourceHandle": "error", "target": "handle"}));
    let broken = Act::Fail(NodeFailure::last("http_status", "gone"));
    let world = World::new().script("a", [Act::Hang, broken]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.output()["said"], "http_status a");
    for length in 0..ended.journal.len() {
        let mut again = Harness::new(&World::new(), &document, json!({}));
        again.history = ended.journal[..length].to_vec();
        let failed = ended.journal[..length]
            .iter()
            .any(|entry| matches!(entry, Entry::Failed { .. }));
        let output = again.go().await.output();
        assert_eq!(output.get("said").is_some(), failed, "from {length}");
    }
}

#[tokio::test]
async fn rule_23_collect_keeps_the_error_in_the_items_place() {
    let document = two_steps(
        json!({"items": "[1, 0, 2]", "mode": "collect", "concurrency": 2}),
        ("transform", json!({"set": {"half": "{{ 10 / item }}"}})),
        ("call", json!({"reply": {"b": "{{ half }}"}})),
    );
    let world = World::new();
    let ended = Harness::new(&world, &document, json!({})).go().await;
    let output = ended.output();
    assert_eq!(output["items"][0], json!({"half": 10.0, "b": 10.0}));
    assert_eq!(output["items"][2], json!({"half": 5.0, "b": 5.0}));
    let error = &output["items"][1]["error"];
    assert_eq!(
        (&error["code"], &error["nodeId"], &error["attempts"]),
        (&json!("template"), &json!("a"), &json!(1))
    );
    assert_eq!(output["items"][1].as_object().unwrap().len(), 1);
    for length in 0..ended.journal.len() {
        let mut again = Harness::new(&World::new(), &document, json!({}));
        again.history = ended.journal[..length].to_vec();
        assert_eq!(again.go().await.output(), output, "from {length}");
    }
}

#[tokio::test]
async fn rule_23_a_collected_failure_aborts_what_its_item_has_in_flight_and_nothing_else() {
    let document = inside(
        after_trigger(
            &[
                (
                    "each",
                    "forEach",
                    json!({"items": "[0, 1]", "mode": "collect", "concurrency": 2}),
                ),
                ("slow", "call", json!({"reply": {"slow": 1}})),
                ("quick", "call", json!({"retry": {"maxAttempts": 1}})),
            ],
            &["t>each"],
        ),
        &[("slow", "each"), ("quick", "each")],
    );
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let broken = Act::Fail(NodeFailure::last("http_status", "gone"));
    let world = World::new()
        .script("slow", [Act::Hang, Act::Gate(gate.clone())])
        .script("quick", [broken]);
    let harness = Harness::new(&world, &document, json!({}));
    let let_go = async {
        world
            .until(|events| events.iter().any(|event| event == "dropped"))
            .await;
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go(), let_go);
    assert_eq!(ended.output()["items"][0]["error"]["code"], "http_status");
    assert_eq!(ended.output()["items"][1], json!({"slow": 1}));
    assert_eq!(ended.status("each[0]/slow"), "aborted");
}

#[tokio::test]
async fn rule_17_an_operators_retry_goes_on_inside_of_the_items() {
    let document = two_steps(
        json!({"items": "range(3)|list", "concurrency": 3}),
        (
            "call",
            json!({"reply": {"a": "{{ item }}"}, "retry": {"maxAttempts": 1}}),
        ),
        ("call", json!({"reply": {"b": "{{ item }}"}})),
    );
    // The third item's first call fails when the first item has come through and the second hangs in its second call.
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let late = Act::GateThenFail(gate.clone(), NodeFailure::last("http_status", "gone"));
    let world = World::new()
        .script("b", [Act::Hang, Act::Hang])
        .script("a", [late]);
    let harness = Harness::new(&world, &document, json!({}));
    let fail = async {
        world
            .until(|events| events.iter().filter(|event| *event == "call b#1").count() == 2)
            .await;
        gate.notify_one();
    };
    let (first, ()) = tokio::join!(harness.go(), fail);
    assert_eq!(first.failure(), "http_status at each[0]/a");
    let mut again = Harness::new(&world, &document, json!({})).after(&first);
    again.history.push(Entry::Reopened {
        at: 1_000_000,
        resume_at: None,
    });
    world.calls.lock().unwrap().clear();
    let second = again.go().await;
    let expected: Vec<_> = (0..3).map(|n| json!({"a": n, "b": n})).collect();
    assert_eq!(second.output()["items"], json!(expected));
    assert_eq!(
        world.calls(),
        ["a#1", "b#1", "b#1", "b#1"],
        "what completed is not called again"
    );
}

#[tokio::test]
async fn rule_25_each_item_counts() {
    let ended = run(&doubling(json!({"items": "[1, 2, 3]"})), json!({})).await;
    let Outcome::Completed { totals, .. } = ended.outcome else {
        panic!()
    };
    assert_eq!(totals.nodes_executed, 1 + 1 + 3 * 2);
}

#[tokio::test]
async fn a_for_each_that_takes_longer_than_timeout_ms_fails() {
    let document = two_steps(
        json!({"items": "[1]", "timeoutMs": 20}),
        ("signal", json!({"name": "never"})),
        ("call", json!({})),
    );
    let ended = Harness::new(&World::new(), &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "timeout at each");
}

#[tokio::test]
async fn ten_thousand_items_run() {
    let document = two_steps(
        json!({"items": "range(n)|list", "concurrency": 100}),
        ("transform", json!({"set": {"a": "{{ item + 1 }}"}})),
        ("transform", json!({"set": {"b": "{{ a + 1 }}"}})),
    );
    let output = run(&document, json!({"n": 10_000})).await.output();
    assert_eq!(output["items"][9_999], json!({"a": 10_000, "b": 10_001}));
    let ended = run(&document, json!({"n": 10_001})).await;
    assert_eq!(ended.failure(), "items_limit at each");
}

#[tokio::test]
async fn a_body_needs_no_trigger_and_a_trigger_in_it_is_none_for_the_workflow() {
    let document = inside(
        workflow(
            &[
                ("each", "forEach", json!({"items": "[1]"})),
                ("t", "trigger", json!({})),
            ],
            &[],
        ),
        &[("t", "each")],
    );
    assert_eq!(World::new().compile(&document).unwrap_err()[0].code, "no_trigger");
}

#[tokio::test]
async fn rule_17_an_item_that_failed_in_the_same_moment_as_the_execution_runs_again() {
    let once = json!({"maxAttempts": 1});
    let document = inside(
        after_trigger(
            &[
                ("each", "forEach", json!({"items": "[7]"})),
                ("a", "call", json!({"reply": {"a": "{{ item }}"}, "retry": once})),
                ("b", "call", json!({"reply": {"b": 1}, "retry": once})),
            ],
            &["t>each", "t>b"],
        ),
        &[("a", "each")],
    );
    let gates = [(); 2].map(|()| std::sync::Arc::new(tokio::sync::Notify::new()));
    let [a, b] = gates
        .clone()
        .map(|gate| Act::GateThenFail(gate, NodeFailure::last("http_status", "gone")));
    let world = World::new().script("a", [a]).script("b", [b]);
    let harness = Harness::new(&world, &document, json!({}));
    let fail = async {
        world
            .until(|events| events.iter().filter(|event| event.starts_with("call")).count() == 2)
            .await;
        gates.iter().for_each(|gate| gate.notify_one());
    };
    let (first, ()) = tokio::join!(harness.go(), fail);
    // The `forEach` had no time to end.
    assert_eq!(first.names()[4..], ["failed:each[0]/a", "failed:b"]);
    let mut again = Harness::new(&world, &document, json!({})).after(&first);
    again.history.push(Entry::Reopened {
        at: 1_000_000,
        resume_at: None,
    });
    let second = again.go().await;
    assert_eq!(second.output(), json!({"items": [{"a": 7}], "b": 1}));
    assert_eq!(world.calls().len(), 4);
}
