//! Rules 15 to 17: what a failure leads to.

use gristmill_core::journal::Entry;
use gristmill_engine::NodeFailure;
use serde_json::json;

use crate::support::{Act, Harness, World, after_trigger, run, set};

fn broken() -> Act {
    let details = json!({"status": 404, "code": "not this"})
        .as_object()
        .unwrap()
        .clone();
    Act::Fail(NodeFailure::last("http_status", "not found").with_details(details))
}

#[tokio::test]
async fn rule_15_a_failure_is_routed_where_there_is_an_error_edge() {
    let document = after_trigger(
        &[
            ("a", "call", json!({})),
            (
                "handle",
                "transform",
                json!({"set": {"said": "{{ error.code }} {{ nodes.a.error.message }} {{ nodes.a.status }}"}}),
            ),
        ],
        &["t>a", "a:error>handle"],
    );
    let world = World::new().script("a", [broken()]);
    let output = Harness::new(&world, &document, json!({})).go().await.output();
    assert_eq!(
        output["error"],
        json!({"status": 404, "code": "http_status", "message": "not found", "attempts": 1})
    );
    assert_eq!(output["said"], "http_status not found FAILED");
}

#[tokio::test]
async fn rule_15_continue_goes_on_as_if_the_node_had_completed() {
    let document = after_trigger(
        &[
            ("a", "call", json!({"onError": "continue", "output": "a"})),
            (
                "next",
                "transform",
                json!({"set": {"next": "{{ a.error.attempts }}"}}),
            ),
            (
                "c",
                "condition",
                json!({"expression": "missing.key", "onError": "continue"}),
            ),
            ("plain", "transform", set("plain", 1)),
            ("no", "transform", set("no", 1)),
        ],
        &["t>a", "a>next", "t>c", "c>plain", "c:false>no"],
    );
    let world = World::new().script("a", [broken()]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    let output = ended.output();
    assert_eq!((&output["next"], &output["plain"]), (&json!(1), &json!(1)));
    assert_eq!(output.get("error"), None, "a condition never merges");
    assert_eq!(ended.status("no"), "skipped");
}

#[test]
fn rule_15_on_error_that_contradicts_the_edges_is_a_problem() {
    let document = after_trigger(
        &[
            ("a", "call", json!({"onError": "continue"})),
            ("b", "call", json!({"onError": "fail"})),
            ("c", "call", json!({"onError": "route"})),
            ("fine", "call", json!({"onError": "route"})),
            ("odd", "call", json!({"onError": "explode"})),
            ("end", "transform", set("x", 1)),
        ],
        &[
            "t>a",
            "t>b",
            "t>c",
            "t>fine",
            "t>odd",
            "a:error>end",
            "b:error>end",
            "fine:error>end",
            "c>end",
        ],
    );
    let problems = World::new().compile(&document).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.path.as_str(), problem.code))
        .collect();
    assert_eq!(
        found,
        [
            ("$.nodes[5].data.onError", "unknown_value"),
            ("$.nodes[1].data.onError", "contradiction"),
            ("$.nodes[2].data.onError", "contradiction"),
            ("$.nodes[3].data.onError", "contradiction"),
        ]
    );
}

#[tokio::test]
async fn rule_15_a_pure_node_that_fails_is_not_retried() {
    let document = after_trigger(
        &[(
            "a",
            "transform",
            json!({"set": {"x": "{{ y.z }}"}, "retry": {"maxAttempts": 5}}),
        )],
        &["t>a"],
    );
    let ended = run(&document, json!({})).await;
    assert_eq!(ended.failure(), "template at a");
    assert_eq!(ended.names(), ["completed:t", "failed:a"]);
}

#[tokio::test]
async fn rule_16_a_failing_execution_starts_nothing_new_and_aborts_what_is_in_flight() {
    let mut document = after_trigger(
        &[
            ("hangs", "call", json!({})),
            ("a", "call", json!({})),
            ("queued", "call", json!({})),
            ("next", "transform", set("x", 1)),
        ],
        &["t>hangs", "t>a", "t>queued", "a>next"],
    );
    document["settings"] = json!({"maxParallel": 2});
    let world = World::new().script("hangs", [Act::Hang]).script("a", [broken()]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.failure(), "http_status at a");
    assert_eq!(
        ended.names(),
        [
            "completed:t",
            "started:hangs",
            "started:a",
            "failed:a",
            "aborted:hangs"
        ]
    );
}

#[tokio::test]
async fn rule_17_an_operators_retry_runs_what_failed_was_aborted_or_never_started() {
    let mut document = after_trigger(
        &[
            ("done", "call", json!({"reply": {"done": 1}})),
            ("hangs", "call", json!({"reply": {"hangs": 1}})),
            (
                "a",
                "call",
                json!({"retry": {"maxAttempts": 1}, "reply": {"a": 1}}),
            ),
            ("next", "call", json!({"reply": {"next": "{{ a }}"}})),
        ],
        &["t>done", "done>hangs", "done>a", "a>next"],
    );
    document["settings"] = json!({"maxParallel": 2});
    let world = World::new()
        .script("hangs", [Act::Hang])
        .script("a", [broken(), broken()]);
    let mut harness = Harness::new(&world, &document, json!({}));
    for retries in 0..3 {
        let ended = harness.go().await;
        harness.history = ended.journal.clone();
        harness.history.push(Entry::Reopened {
            at: 0,
            resume_at: None,
        });
        if retries < 2 {
            assert_eq!(ended.failure(), "http_status at a");
        } else {
            assert_eq!(ended.output(), json!({"done": 1, "hangs": 1, "a": 1, "next": 1}));
        }
    }
    let keys: Vec<_> = world
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|call| call.idempotency_key.clone())
        .collect();
    assert_eq!(keys.iter().filter(|key| key.contains(":done")).count(), 1);
    for key in [
        "wf_exec_1:a",
        "wf_exec_1:a:r1",
        "wf_exec_1:a:r2",
        "wf_exec_1:next:r2",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key} in {keys:?}");
    }
    let attempts: Vec<_> = harness
        .history
        .iter()
        .filter_map(|entry| match entry {
            Entry::Started { path, attempt, .. } if path == "a" => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [1, 1, 1], "retry counts restart");
}

#[tokio::test]
async fn a_panic_in_an_effect_is_that_nodes_failure() {
    let document = after_trigger(&[("a", "call", json!({"onError": "continue"}))], &["t>a"]);
    let world = World::new().script("a", [Act::Panic]);
    let output = Harness::new(&world, &document, json!({})).go().await.output();
    assert_eq!(output["error"]["code"], "panic");
    assert_eq!(
        output["error"]["message"],
        "the node panicked: as the script says"
    );
}

#[tokio::test]
async fn rule_15_the_error_of_a_node_is_the_same_wherever_it_is_looked_at() {
    let mut document = after_trigger(
        &[
            ("a", "call", json!({"onError": "continue", "output": "a"})),
            (
                "next",
                "transform",
                json!({"set": {
                    "said": "{{ nodes.a.error.status }} {{ nodes.a.error.attempts }} {{ nodes.a.error.code }}",
                    "same": "{{ nodes.a.error == a.error }}",
                    "none": "{{ nodes.t.error }}",
                }}),
            ),
        ],
        &["t>a", "a>next"],
    );
    document["nodes"][1]["data"]["retry"] = json!({"maxAttempts": 2, "initialIntervalMs": 1});
    let again = Act::Fail(NodeFailure::retry("network", "reset"));
    let world = World::new().script("a", [again, broken()]);
    let output = Harness::new(&world, &document, json!({})).go_on().await.output();
    assert_eq!(
        (&output["said"], &output["same"], &output["none"]),
        (&json!("404 2 http_status"), &json!(true), &json!(null))
    );
}
