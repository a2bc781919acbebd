//! Sizes: limits with errors that name them, and cost that grows with the graph and not faster.

use serde_json::{Value, json};

use crate::support::{Harness, World, after_trigger, run};

#[tokio::test]
async fn an_output_beyond_the_limit_of_a_node_fails_the_node() {
    let document = after_trigger(
        &[("a", "transform", json!({"set": {"x": "{{ s * 300 }}"}}))],
        &["t>a"],
    );
    let mut harness = Harness::new(&World::new(), &document, json!({"s": "abc"}));
    harness.options.limits.max_node_output = 800;
    let ended = harness.go().await;
    assert_eq!(ended.failure(), "node_output_limit at a");
    assert!(format!("{:?}", ended.outcome).contains("the limit of one node is limits.max_node_output, 800"));
}

#[tokio::test]
async fn what_a_node_renders_is_bounded_like_its_output() {
    let long = "{{ 'x' * 1000000 }}";
    let set: serde_json::Map<_, _> = (0..20).map(|n| (format!("k{n}"), json!(long))).collect();
    let data = [
        ("transform", json!({"set": set})),
        ("forEach", json!({"items": vec![long; 20]})),
        ("wait", json!({"durationMs": vec![long; 20]})),
        (
            "subWorkflow",
            json!({"workflowId": "wf_child", "input": {"set": set}}),
        ),
    ];
    for (kind, data) in data {
        let mut document = after_trigger(&[("a", kind, data)], &["t>a"]);
        if kind == "forEach" {
            let body = json!({"id": "b", "type": "transform", "parentId": "a", "data": {"set": {"x": 1}}});
            document["nodes"].as_array_mut().unwrap().push(body);
        }
        let ended = run(&document, json!({})).await;
        assert_eq!(ended.failure(), "node_output_limit at a", "{kind}");
        let text = format!("{:?}", ended.outcome);
        assert!(
            text.contains("renders is larger than limits.max_node_output, 1048576 bytes"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn outputs_beyond_the_limit_of_an_execution_fail_the_node_that_passes_it() {
    let data = json!({"set": {"x": "{{ s * 100 }}"}});
    let document = after_trigger(
        &[("a", "transform", data.clone()), ("b", "transform", data)],
        &["t>a", "a>b"],
    );
    let mut harness = Harness::new(&World::new(), &document, json!({"s": "abc"}));
    harness.options.limits.max_execution_output = 500;
    let ended = harness.go().await;
    assert_eq!(ended.failure(), "execution_output_limit at b");
    assert!(
        format!("{:?}", ended.outcome)
            .contains("the limit of one execution is limits.max_execution_output, 500")
    );
}

fn chain(length: usize) -> Value {
    let nodes: Vec<_> = (0..length)
        .map(|n| match n {
            0 => json!({"id": "n0", "type": "trigger"}),
            n => json!({"id": format!("n{n}"), "type": "transform",
                "data": {"set": {format!("k{n}"): format!("{{{{ k{} + 1 }}}}", n - 1)}}}),
        })
        .collect();
    let edges: Vec<_> = (1..length)
        .map(|n| json!({"source": format!("n{}", n - 1), "target": format!("n{n}")}))
        .collect();
    json!({"nodes": nodes, "edges": edges})
}

#[tokio::test]
async fn a_chain_of_ten_thousand_nodes_runs() {
    let output = run(&chain(10_000), json!({"k0": 0})).await.output();
    assert_eq!(output["k9999"], 9_999);
}

#[tokio::test]
async fn ten_thousand_siblings_that_read_and_write_the_same_key_run() {
    let mut nodes = vec![json!({"id": "t", "type": "trigger"})];
    let mut edges = Vec::new();
    for n in 1..10_000 {
        let set = json!({"set": {"x": "{{ x + 1 }}"}});
        nodes.push(json!({"id": format!("n{n}"), "type": "transform", "data": set}));
        edges.push(json!({"source": "t", "target": format!("n{n}")}));
    }
    let output = run(&json!({"nodes": nodes, "edges": edges}), json!({"x": 1}))
        .await
        .output();
    assert_eq!(output, json!({"x": 2}));
}

#[tokio::test]
async fn a_grid_of_ten_thousand_nodes_runs() {
    const SIDE: usize = 100;
    let id = |row: usize, column: usize| format!("n{row}_{column}");
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for row in 0..SIDE {
        for column in 0..SIDE {
            nodes.push(match (row, column) {
                (0, 0) => json!({"id": id(0, 0), "type": "trigger"}),
                _ => json!({"id": id(row, column), "type": "transform",
                    "data": {"set": {"steps": "{{ steps|default(0) + 1 }}"}}}),
            });
            if row > 0 {
                edges.push(json!({"source": id(row - 1, column), "target": id(row, column)}));
            }
            if column > 0 {
                edges.push(json!({"source": id(row, column - 1), "target": id(row, column)}));
            }
        }
    }
    let output = run(&json!({"nodes": nodes, "edges": edges}), json!({}))
        .await
        .output();
    assert_eq!(output["steps"], 2 * SIDE - 2);
}

#[test]
fn a_definition_beyond_the_limit_of_nodes_is_refused() {
    let problems = World::new().compile(&chain(10_001)).unwrap_err();
    assert_eq!(problems[0].code, "too_many_nodes");
}

#[tokio::test]
async fn a_journal_beyond_its_limits_fails_the_execution() {
    let document = chain(500);
    let limited = |change: fn(&mut gristmill_core::Limits)| {
        let mut harness = Harness::new(&World::new(), &document, json!({"k0": 0}));
        change(&mut harness.options.limits);
        async move {
            let ended = harness.go().await;
            (ended.failure(), format!("{:?}", ended.outcome))
        }
    };
    let (failure, text) = limited(|limits| limits.max_journal_entries = 200).await;
    assert_eq!(failure, "journal_entries_limit at -");
    assert!(text.contains("limits.max_journal_entries, 200"), "{text}");
    let (failure, text) = limited(|limits| limits.max_journal_bytes = 10_000).await;
    assert_eq!(failure, "journal_bytes_limit at -");
    assert!(text.contains("limits.max_journal_bytes, 10000"), "{text}");
}

/// On a stack so small that recursion over the graph would end the process.
#[test]
fn a_hostile_definition_is_judged_without_recursion() {
    const NODES: usize = 5_000;
    const EDGES: usize = 100_000;
    let id = |n: usize| format!("n{n}");
    let node = |n: usize, more: Value| {
        let mut node = json!({"id": id(n), "type": if n == 0 { "trigger" } else { "transform" }});
        if n > 0 {
            node["data"] = json!({"set": {"x": 1}});
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            node[key] = value.clone();
        }
        node
    };
    let plain = || (0..NODES).map(|n| node(n, json!({}))).collect::<Vec<_>>();
    let edge = |source: usize, target: usize| json!({"source": id(source), "target": id(target)});
    let cycle = json!({"nodes": plain(), "edges": (1..NODES).map(|n| edge(n, n % (NODES - 1) + 1)).collect::<Vec<_>>()});
    let nested = (0..NODES).map(|n| {
        let parent = if n > 1 {
            json!({"parentId": id(n - 1)})
        } else {
            json!({})
        };
        let mut node = node(n, parent);
        if n > 0 {
            node["type"] = json!("forEach");
            node["data"] = json!({"items": [1]});
        }
        node
    });
    let nested = json!({"nodes": nested.collect::<Vec<_>>(), "edges": []});
    let parallel = json!({"nodes": plain(), "edges": vec![edge(0, 1); EDGES]});
    // Every tenth node joins two hundred others.
    let joins = (0..EDGES).map(|n| {
        let target = NODES / 2 + n / 200 * 4;
        edge(n % (NODES / 2), target)
    });
    let joins = json!({"nodes": plain(), "edges": joins.collect::<Vec<_>>()});
    let nowhere = json!({"nodes": plain(), "edges": vec![json!({"source": "x", "target": "y"}); EDGES]});
    let small = std::thread::Builder::new().stack_size(192 * 1024);
    let judged = small
        .spawn(move || {
            let judge = |document: &Value| match World::new().compile(document) {
                Ok(plan) => Ok(plan.len()),
                Err(problems) => Err((problems.len(), problems[0].code)),
            };
            [&cycle, &nested, &parallel, &joins, &nowhere].map(judge)
        })
        .unwrap();
    let expected = [
        Err((1, "cycle")),
        // Each one that is reported is taken out, and those below it count from there.
        // Of a thousand, which is one in each five, and one that says how many more there are.
        Err((101, "nesting_limit")),
        Ok(NODES),
        Ok(NODES),
        Err((101, "unknown_node")),
    ];
    assert_eq!(judged.join().unwrap(), expected);
}

fn told(document: &Value) -> (usize, String) {
    let problems = World::new().compile(document).unwrap_err();
    let text = problems.iter().map(|problem| format!("{problem}\n")).collect();
    (problems.len(), text)
}

#[test]
fn what_is_told_of_a_definition_is_bounded() {
    let cases: Vec<_> = (0..2_000)
        .map(|n| json!({"handle": format!("h{n}-{}", "x".repeat(150)), "expression": "x"}))
        .collect();
    let mut document = after_trigger(
        &[
            ("c", "condition", json!({"cases": cases})),
            ("a", "transform", json!({"set": {}})),
        ],
        &["t>c"],
    );
    let astray = json!({"source": "c", "target": "a", "sourceHandle": "nowhere"});
    document["edges"]
        .as_array_mut()
        .unwrap()
        .extend(vec![astray; 5_000]);
    let (count, text) = told(&document);
    assert_eq!(count, 101);
    assert!(text.contains("h19-") && !text.contains("h20-"));
    assert!(text.contains("there are 4900 more problems"));
    assert!(text.len() < 101 * 6_400, "{}", text.len());

    // Each of many problems stands below a long key.
    let broken = json!({"x".repeat(100_000): vec!["{{"; 5_000], "y": vec!["{{ b }}"; 5_000]});
    let set = (0..60).fold(broken, |inner, _| json!({"k".repeat(90): inner}));
    let (count, text) = told(&after_trigger(
        &[("a", "transform", json!({"set": set}))],
        &["t>a"],
    ));
    assert_eq!(count, 101);
    assert!(text.len() < 101 * 6_400, "{}", text.len());
}

#[test]
fn a_definition_has_only_so_many_expressions() {
    let of_count = |count: usize| {
        let cases = [json!({"handle": "h", "expression": "x|d"})];
        let document = after_trigger(
            &[
                ("c", "condition", json!({"cases": cases})),
                (
                    "a",
                    "transform",
                    json!({"set": {"a": vec!["{{ x|d }}"; count - 2], "b": "{{ x }}"}}),
                ),
            ],
            &["t>c", "c>a"],
        );
        World::new().compile(&document)
    };
    assert!(of_count(20_000).is_ok());
    let problems = of_count(20_002).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "too_many_expressions");
    assert!(problems[0].message.contains("limits.max_expressions, 20000"));
}

#[test]
fn a_handle_has_a_longest_length() {
    let of_length = |length| {
        let case = json!({"handle": "h".repeat(length), "expression": "x"});
        World::new().compile(&after_trigger(
            &[("c", "condition", json!({"cases": [case]}))],
            &["t>c"],
        ))
    };
    assert!(of_length(200).is_ok());
    assert_eq!(of_length(201).unwrap_err()[0].code, "invalid_handle");
}
