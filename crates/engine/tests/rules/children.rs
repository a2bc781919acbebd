//! Rule 24: sub-workflows.

use gristmill_engine::Outcome;
use serde_json::{Value, json};

use crate::support::{Ended, Harness, World, after_trigger};

fn parent(data: Value) -> Value {
    let mut data = data;
    data["workflowId"] = json!("wf_child");
    after_trigger(
        &[
            ("sub", "subWorkflow", data),
            (
                "end",
                "transform",
                json!({"set": {"end": "{{ total|default(none) }}"}}),
            ),
        ],
        &["t>sub", "sub>end"],
    )
}

fn is_suspended(ended: &Ended) -> bool {
    matches!(ended.outcome, Outcome::Suspended { wake_at: None })
}

fn completed(output: Value) -> Value {
    json!({"status": "COMPLETED", "output": output})
}

fn failed() -> Value {
    json!({"status": "FAILED", "error": {"code": "http_status", "message": "gone"}})
}

#[tokio::test]
async fn rule_24_a_child_is_started_once_and_its_output_is_the_nodes() {
    let world = World::new();
    let document = parent(json!({"input": {"n": "{{ n }}", "fixed": [1]}}));
    let first = Harness::new(&world, &document, json!({"n": 7})).go().await;
    assert!(is_suspended(&first), "{:?}", first.outcome);
    {
        let children = world.children.lock().unwrap();
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].path, "sub");
        assert_eq!(children[0].key, "wf_exec_1:sub");
        assert_eq!(children[0].workflow_id.as_str(), "wf_child");
        assert_eq!(
            Value::Object(children[0].input.clone()),
            json!({"n": 7, "fixed": [1]})
        );
    }
    // A crash between the child's start and the note of it asks again, under the same key.
    let mut again = Harness::new(&world, &document, json!({"n": 7}));
    again.history = first.journal[..1].to_vec();
    assert!(is_suspended(&again.go().await));
    assert_eq!(world.children.lock().unwrap().len(), 1);

    world.send("child:wf_exec_child1", completed(json!({"total": 42})));
    let last = Harness::new(&world, &document, json!({"n": 7}))
        .after(&first)
        .go()
        .await;
    assert_eq!(last.output(), json!({"n": 7, "total": 42, "end": 42}));
}

#[tokio::test]
async fn rule_24_a_child_that_failed_or_was_cancelled_fails_its_node() {
    for (body, code) in [
        (failed(), "child_failed"),
        (json!({"status": "CANCELLED"}), "child_cancelled"),
    ] {
        let world = World::new();
        let document = parent(json!({"onError": "continue"}));
        world.send("child:wf_exec_child1", body);
        let ended = Harness::new(&world, &document, json!({})).go().await;
        let error = &ended.output()["error"];
        assert_eq!(
            (&error["code"], &error["executionId"]),
            (&json!(code), &json!("wf_exec_child1"))
        );
    }
}

#[tokio::test]
async fn rule_24_a_retry_starts_a_new_child() {
    let world = World::new();
    let document = parent(json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 1}}));
    world.send("child:wf_exec_child1", failed());
    world.send("child:wf_exec_child2", completed(json!({"total": 1})));
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.output()["end"], 1);
    let paths: Vec<_> = world
        .children
        .lock()
        .unwrap()
        .iter()
        .map(|child| (child.path.clone(), child.key.clone()))
        .collect();
    assert_eq!(
        paths,
        [
            ("sub".to_owned(), "wf_exec_1:sub".to_owned()),
            ("sub#2".to_owned(), "wf_exec_1:sub#2".to_owned())
        ]
    );
    assert_eq!(
        ended.names()[1..],
        [
            "waiting:sub",
            "retrying:sub",
            "waiting:sub",
            "completed:sub",
            "completed:end"
        ]
    );
}

#[tokio::test]
async fn rule_24_a_child_that_cannot_be_started_is_a_failure_of_the_node() {
    let mut document = parent(json!({"onError": "continue"}));
    document["nodes"][1]["data"]["workflowId"] = json!("{{ which }}");
    for (which, code) in [("wf_nowhere", "unknown_workflow"), ("no id", "unknown_workflow")] {
        let ended = Harness::new(&World::new(), &document, json!({"which": which}))
            .go()
            .await;
        assert_eq!(ended.output()["error"]["code"], code);
    }
}

#[tokio::test]
async fn rule_24_a_child_that_takes_longer_than_timeout_ms_fails_its_node() {
    let world = World::new();
    let ended = Harness::new(&world, &parent(json!({"timeoutMs": 10})), json!({}))
        .go_on()
        .await;
    assert_eq!(ended.failure(), "timeout at sub");
}

#[test]
fn a_sub_workflow_names_a_workflow_and_gives_it_an_object() {
    let problems = |data: Value| {
        let document = after_trigger(&[("sub", "subWorkflow", data)], &["t>sub"]);
        let problems = World::new().compile(&document).err().unwrap_or_default();
        problems
            .iter()
            .map(|problem| problem.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(problems(json!({})), ["$.nodes[1].data.workflowId"]);
    assert_eq!(
        problems(json!({"workflowId": "7", "input": [1]})),
        ["$.nodes[1].data.workflowId", "$.nodes[1].data.input"]
    );
    assert_eq!(
        problems(json!({"workflowId": "{{ w }}", "input": "{{ i }}"})),
        [""; 0]
    );
}

#[tokio::test]
async fn rule_16_no_child_is_started_beside_one_whose_request_fails_what_they_belong_to() {
    let sub = json!({"workflowId": "wf_child", "input": {"n": "{{ item.n.n }}"}});
    let mut in_items = after_trigger(
        &[
            ("each", "forEach", json!({"items": "items", "concurrency": 100})),
            ("sub", "subWorkflow", sub),
        ],
        &["t>each"],
    );
    in_items["nodes"][2]["parentId"] = json!("each");
    let beside =
        |n: usize| json!({"workflowId": "wf_child", "input": {"n": format!("{{{{ items[{n}].n.n }}}}")}});
    let nodes = ["s0", "s1", "s2"].map(|id| (id, "subWorkflow", beside(id[1..].parse().unwrap())));
    let side_by_side = after_trigger(&nodes, &["t>s0", "t>s1", "t>s2"]);
    for broken in 0..3 {
        let mut items = vec![json!({"n": {"n": 1}}); 3];
        items[broken] = json!({});
        for (document, path) in [
            (&in_items, format!("each[{broken}]/sub")),
            (&side_by_side, format!("s{broken}")),
        ] {
            let world = World::new();
            let ended = Harness::new(&world, document, json!({"items": items})).go().await;
            assert_eq!(ended.failure(), format!("template at {path}"));
            assert_eq!(*world.children.lock().unwrap(), []);
        }
    }
}
