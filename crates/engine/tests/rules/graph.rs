//! Rules 1 to 5 and 18: order, starting, edges, joins, conditions, disabled nodes.

use serde_json::json;

use crate::support::{Act, Harness, World, after_trigger, run, set, workflow};
use gristmill_engine::NodeFailure;

fn transform(key: &str) -> serde_json::Value {
    set(key, true)
}

#[tokio::test]
async fn rule_01_rank_is_kahn_with_a_fifo_queue_over_listed_nodes_and_edges() {
    let document = workflow(
        &[
            ("late", "transform", transform("late")),
            ("t2", "trigger", json!({})),
            ("b", "transform", transform("b")),
            ("t1", "trigger", json!({})),
            ("a", "transform", transform("a")),
        ],
        &["t1>b", "t2>a", "a>late", "a>late", "b>late", "t2>b"],
    );
    let ended = run(&document, json!({})).await;
    let order = [
        "completed:t2",
        "completed:t1",
        "completed:a",
        "completed:b",
        "completed:late",
    ];
    assert_eq!(ended.names(), order);
}

#[test]
fn rule_01_a_self_edge_is_a_cycle() {
    let document = after_trigger(&[("a", "transform", transform("a"))], &["t>a", "a>a"]);
    let problems = World::new().compile(&document).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "$.edges: Workflow contains cycles: a → a"
    );
}

#[tokio::test]
async fn rule_02_every_node_without_incoming_edges_starts_all_triggers_included() {
    let document = workflow(
        &[
            ("t1", "trigger", json!({})),
            ("t2", "trigger", json!({})),
            ("alone", "transform", transform("alone")),
            ("behind", "trigger", json!({})),
        ],
        &["t1>behind"],
    );
    let ended = run(&document, json!({"x": 1})).await;
    assert_eq!(
        ended.names(),
        [
            "completed:t1",
            "completed:t2",
            "completed:alone",
            "completed:behind"
        ]
    );
    assert_eq!(ended.output(), json!({"x": 1, "alone": true}));
}

#[tokio::test]
async fn rule_03_a_condition_makes_the_chosen_and_the_plain_edges_live() {
    let document = after_trigger(
        &[
            ("c", "condition", json!({"expression": "x > 1"})),
            ("yes", "transform", transform("yes")),
            ("no", "transform", transform("no")),
            ("both", "transform", transform("both")),
            ("failed", "transform", transform("failed")),
            ("after_no", "transform", transform("after_no")),
        ],
        &[
            "t>c",
            "c:true>yes",
            "c:false>no",
            "c>both",
            "c:error>failed",
            "no>after_no",
        ],
    );
    let ended = run(&document, json!({"x": 2})).await;
    assert_eq!(ended.output(), json!({"x": 2, "yes": true, "both": true}));
    for node in ["no", "failed", "after_no"] {
        assert_eq!(ended.status(node), "skipped", "{node}");
    }
}

#[tokio::test]
async fn rule_03_error_edges_are_dead_unless_the_source_failed_and_then_only_they_live() {
    let nodes = [
        ("a", "call", json!({"reply": {"a": 1}})),
        ("well", "transform", transform("well")),
        ("badly", "transform", transform("badly")),
    ];
    let document = after_trigger(&nodes, &["t>a", "a>well", "a:error>badly"]);
    assert_eq!(
        run(&document, json!({})).await.output(),
        json!({"a": 1, "well": true})
    );
    let world = World::new().script("a", [Act::Fail(NodeFailure::last("x", "y"))]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(
        (ended.status("well"), ended.status("badly")),
        ("skipped".to_owned(), "completed".to_owned())
    );
}

#[tokio::test]
async fn rule_04_a_join_waits_for_all_its_edges_also_dead_ones() {
    let document = after_trigger(
        &[
            ("c", "condition", json!({"expression": "false"})),
            ("dead", "transform", transform("dead")),
            ("slow", "call", json!({"reply": {"slow": 1}})),
            ("join", "transform", json!({"set": {"seen": "{{ slow }}"}})),
            ("never", "transform", transform("never")),
        ],
        &[
            "t>c",
            "c:true>dead",
            "t>slow",
            "dead>join",
            "slow>join",
            "dead>never",
        ],
    );
    let ended = run(&document, json!({})).await;
    assert_eq!(ended.output(), json!({"slow": 1, "seen": 1}));
    assert_eq!(
        ended
            .names()
            .iter()
            .filter(|name| *name == "completed:join")
            .count(),
        1
    );
    assert_eq!(ended.status("never"), "skipped");
}

#[tokio::test]
async fn rule_05_the_first_true_case_is_chosen_else_default() {
    let document = after_trigger(
        &[
            (
                "c",
                "condition",
                json!({"cases": [{"handle": "big", "expression": "x > 10"}, {"handle": "some", "expression": "x"}]}),
            ),
            ("big", "transform", transform("big")),
            ("none", "transform", transform("none")),
        ],
        &["t>c", "c:big>big", "c:default>none"],
    );
    assert_eq!(
        run(&document, json!({"x": 11})).await.output(),
        json!({"x": 11, "big": true})
    );
    // A handle without an edge is fine.
    assert_eq!(run(&document, json!({"x": 1})).await.output(), json!({"x": 1}));
    assert_eq!(
        run(&document, json!({"x": 0})).await.output(),
        json!({"x": 0, "none": true})
    );
}

#[test]
fn rule_05_wrong_handles_and_braces_are_problems() {
    let case = |handle: &str| json!({"handle": handle, "expression": "true"});
    let document = after_trigger(
        &[
            (
                "a",
                "condition",
                json!({"cases": [case("x"), case("x"), case("error"), case("default")]}),
            ),
            ("b", "condition", json!({"expression": "{{ x }}"})),
            ("c", "condition", json!({"expression": "x"})),
            ("d", "condition", json!({"expression": "x", "cases": []})),
            ("e", "condition", json!({})),
        ],
        &["t>a", "c:maybe>b", "a:anything>b"],
    );
    let problems = World::new().compile(&document).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.path.as_str(), problem.code))
        .collect();
    assert_eq!(
        found,
        [
            ("$.nodes[1].data.cases[1].handle", "duplicate_handle"),
            ("$.nodes[1].data.cases[2].handle", "duplicate_handle"),
            ("$.nodes[1].data.cases[3].handle", "duplicate_handle"),
            ("$.nodes[2].data.expression", "invalid_expression"),
            ("$.nodes[4].data.cases", "contradiction"),
            ("$.nodes[5].data.expression", "missing"),
            ("$.edges[1].sourceHandle", "unknown_handle"),
        ]
    );
}

#[tokio::test]
async fn rule_18_a_disabled_node_that_is_reached_passes_through_and_one_that_is_not_is_skipped() {
    let off = json!({"set": {"off": 1}, "disabled": true, "output": "nest"});
    let document = workflow(
        &[
            ("t", "trigger", json!({})),
            ("t_off", "trigger", json!({"disabled": true})),
            ("off", "transform", off.clone()),
            ("behind", "transform", transform("behind")),
            ("failed", "transform", transform("failed")),
            ("off_unreached", "transform", off.clone()),
            ("off_alone", "transform", off),
            ("off_call", "call", json!({"disabled": true})),
        ],
        &[
            "t>off",
            "off>behind",
            "off:error>failed",
            "t_off>off_unreached",
            "t>off_call",
        ],
    );
    let world = World::new();
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.output(), json!({"behind": true}));
    for (node, status) in [
        ("t_off", "skipped"),
        ("off", "disabled"),
        ("failed", "skipped"),
        ("off_unreached", "skipped"),
        ("off_alone", "skipped"),
        ("off_call", "disabled"),
    ] {
        assert_eq!(ended.status(node), status, "{node}");
    }
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn rule_18_a_condition_cannot_be_disabled() {
    let document = after_trigger(
        &[("c", "condition", json!({"expression": "x", "disabled": true}))],
        &["t>c"],
    );
    let problems = World::new().compile(&document).unwrap_err();
    assert_eq!(
        (problems[0].path.as_str(), problems[0].code),
        ("$.nodes[1].data.disabled", "cannot_be_disabled")
    );
}
