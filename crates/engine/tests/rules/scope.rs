//! Rules 7 to 11 and 25: outputs, merging, what a node sees, the result.

use gristmill_engine::{NodeFailure, Outcome};
use serde_json::{Value, json};

use crate::support::{Act, Harness, World, after_trigger, run, set};

#[tokio::test]
async fn rule_07_each_kind_has_its_output() {
    let document = after_trigger(
        &[
            ("c", "condition", json!({"expression": "true"})),
            ("s", "transform", json!({"set": {"a": 1}})),
            (
                "see",
                "transform",
                json!({"set": {"all": ["{{ nodes.t.output }}", "{{ nodes.c.output }}", "{{ nodes.s.output }}"]}}),
            ),
        ],
        &["t>c", "c>s", "s>see"],
    );
    assert_eq!(
        run(&document, json!({})).await.output()["all"],
        json!([{}, {"handle": "true"}, {"a": 1}])
    );
}

#[tokio::test]
async fn rule_08_merging_is_shallow_and_the_later_rank_wins_whoever_ends_first() {
    let nodes = [
        (
            "a",
            "call",
            json!({"reply": {"x": {"from": "a", "only": 1}, "a": 1}}),
        ),
        ("b", "call", json!({"reply": {"x": {"from": "b"}}})),
        ("join", "transform", json!({"set": {"seen": "{{ x }}"}})),
    ];
    let document = after_trigger(&nodes, &["t>a", "t>b", "a>join", "b>join"]);
    let world = World::new();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    // The lower rank ends last.
    let world = world.script("a", [Act::Gate(gate.clone())]);
    let harness = Harness::new(&world, &document, json!({"x": 0}));
    let open = async {
        world
            .until(|events| events.iter().any(|event| event.contains("completed:b")))
            .await;
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go(), open);
    assert_eq!(
        ended.output(),
        json!({"x": {"from": "b"}, "a": 1, "seen": {"from": "b"}})
    );
}

/// The result is put together in two ways: by node, or by key where there are few. Both merge by rank, and keys keep the
/// place where they stood first.
#[tokio::test]
async fn rule_08_many_nodes_that_set_few_keys_come_to_what_merging_one_after_the_other_does() {
    for rounds in [1, 30] {
        let mut ids = vec!["t".to_owned()];
        let mut nodes = Vec::new();
        for round in 0..rounds {
            for (name, data) in [
                ("a", json!({"set": {"z": format!("a{round}"), "b": round}})),
                ("b", json!({"set": {"k": round, "z": round}, "output": "own"})),
                ("c", json!({"set": {"in": format!("c{round}"), "a": "{{ b }}"}})),
            ] {
                ids.push(format!("{name}{round}"));
                nodes.push((ids[ids.len() - 1].clone(), "transform", data));
            }
        }
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(id, kind, data)| (&**id, *kind, data.clone()))
            .collect();
        let edges: Vec<_> = ids
            .windows(2)
            .map(|pair| format!("{}>{}", pair[0], pair[1]))
            .collect();
        let edges: Vec<_> = edges.iter().map(String::as_str).collect();
        let output = run(&after_trigger(&nodes, &edges), json!({"in": 0, "x": 0}))
            .await
            .output();
        let last = rounds - 1;
        let expected = json!({
            "in": format!("c{last}"), "x": 0, "z": format!("a{last}"), "b": last, "own": {"k": last, "z": last}, "a": last,
        });
        assert_eq!(output.to_string(), expected.to_string());
    }
}

#[tokio::test]
async fn rule_08_output_nests_and_triggers_and_conditions_never_merge() {
    let document = after_trigger(
        &[
            ("a", "transform", json!({"set": {"x": 1, "y": 2}, "output": "a"})),
            ("c", "condition", json!({"expression": "a.x == 1", "output": "c"})),
            ("b", "transform", json!({"set": {"sum": "{{ a.x + a.y }}"}})),
        ],
        &["t>a", "a>c", "c:true>b"],
    );
    assert_eq!(
        run(&document, json!({})).await.output(),
        json!({"a": {"x": 1, "y": 2}, "sum": 3})
    );
}

#[tokio::test]
async fn rule_09_a_node_sees_its_ancestors_and_nobody_else() {
    let document = after_trigger(
        &[
            ("mine", "transform", set("x", "mine")),
            ("other", "transform", json!({"set": {"x": "other", "secret": 1}})),
            (
                "see",
                "transform",
                json!({"set": {
                    "x_seen": "{{ x }}",
                    "others": "{{ secret is defined or nodes.other is defined or nodes.see is defined }}",
                    "mine": "{{ nodes.mine.status }} {{ nodes.mine.output.x }} {{ nodes.mine.error }}",
                    "ids": "{{ nodes|list }}",
                }}),
            ),
        ],
        &["t>mine", "t>other", "mine>see"],
    );
    let output = run(&document, json!({})).await.output();
    assert_eq!(output["x_seen"], "mine");
    assert_eq!(output["others"], false);
    assert_eq!(output["mine"], "COMPLETED mine null");
    assert_eq!(output["ids"], json!(["t", "mine"]));
    assert_eq!(
        output["x"], "other",
        "the result merges by rank, not by who sees whom"
    );
}

#[tokio::test]
async fn rule_09_ancestors_are_reached_over_dead_edges_too() {
    let document = after_trigger(
        &[
            ("a", "transform", set("a", 1)),
            ("c", "condition", json!({"expression": "false"})),
            ("dead", "transform", set("dead", 1)),
            (
                "join",
                "transform",
                json!({"set": {"seen": ["{{ nodes.a.status }}", "{{ nodes.dead.status }}", "{{ dead|default(0) }}"]}}),
            ),
        ],
        &["t>a", "a>c", "c:true>dead", "dead>join", "t>join"],
    );
    assert_eq!(
        run(&document, json!({})).await.output()["seen"],
        json!(["COMPLETED", "SKIPPED", 0])
    );
}

#[tokio::test]
async fn rule_10_these_names_hide_merged_keys() {
    let names = ["input", "nodes", "vars", "execution"];
    let hiding: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!("hidden")))
        .collect();
    let see: serde_json::Map<_, _> = names
        .iter()
        .map(|name| (format!("see_{name}"), json!(format!("{{{{ {name} }}}}"))))
        .collect();
    let mut document = after_trigger(
        &[
            ("a", "transform", json!({"set": hiding})),
            ("b", "transform", json!({"set": see})),
        ],
        &["t>a", "a>b"],
    );
    document["variables"] = json!({"rate": 1.5, "deep": {"x": [1]}});
    let output = run(&document, json!({"k": "v"})).await.output();
    assert_eq!(output["see_input"], json!({"k": "v"}));
    assert_eq!(output["see_vars"], json!({"rate": 1.5, "deep": {"x": [1]}}));
    assert_eq!(output["see_nodes"]["a"]["status"], "COMPLETED");
    assert_eq!(
        output["see_execution"],
        json!({"id": "wf_exec_1", "workflowId": "wf_1", "revision": 3, "startedAt": "1970-01-01T00:16:40.000Z"})
    );
    assert_eq!(
        output["input"], "hidden",
        "in the result they are keys like others"
    );
}

#[tokio::test]
async fn rule_11_the_result_does_not_depend_on_timing_or_parallelism() {
    let calls: Vec<_> = (0..6).map(|n| format!("c{n}")).collect();
    let mut nodes: Vec<_> = calls
        .iter()
        .map(|id| {
            (
                id.as_str(),
                "call",
                json!({"reply": {"last": id, id.as_str(): "{{ n }}"}}),
            )
        })
        .collect();
    nodes.push(("end", "transform", json!({"set": {"end": "{{ last }}"}})));
    let edges: Vec<_> = calls
        .iter()
        .flat_map(|id| [format!("t>{id}"), format!("{id}>end")])
        .collect();
    let edges: Vec<_> = edges.iter().map(String::as_str).collect();
    let mut outputs = Vec::new();
    for parallel in [1, 2, 6] {
        let world = World::new();
        let mut document = after_trigger(&nodes, &edges);
        document["settings"] = json!({"maxParallel": parallel});
        outputs.push(
            Harness::new(&world, &document, json!({"n": 7}))
                .go()
                .await
                .output()
                .to_string(),
        );
    }
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
    let output: Value = serde_json::from_str(&outputs[0]).unwrap();
    assert_eq!(
        (&output["last"], &output["end"], &output["n"]),
        (&json!("c5"), &json!("c5"), &json!(7))
    );
}

#[tokio::test]
async fn rule_25_nodes_executed_counts_runs_that_completed() {
    let document = after_trigger(
        &[
            ("c", "condition", json!({"expression": "false"})),
            ("skipped", "transform", set("x", 1)),
            ("disabled", "transform", json!({"set": {}, "disabled": true})),
            ("failed", "call", json!({"onError": "continue"})),
            ("retried", "call", json!({})),
        ],
        &["t>c", "c:true>skipped", "t>disabled", "t>failed", "t>retried"],
    );
    let world = World::new()
        .script("failed", [Act::Fail(NodeFailure::last("x", "y"))])
        .script("retried", [Act::Fail(NodeFailure::retry("x", "y"))]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    let Outcome::Completed { totals, .. } = ended.outcome else {
        panic!("{:?}", ended.outcome)
    };
    assert_eq!(totals.nodes_executed, 3, "t, c and retried");
}
