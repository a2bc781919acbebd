//! Rule 28: whatever a worker had committed when it died, another one comes to the same result and calls no effect again
//! whose completion was committed.

use std::sync::Arc;

use gristmill_core::journal::Entry;
use gristmill_engine::NodeFailure;
use serde_json::{Value, json};

use crate::support::{Act, Harness, World, after_trigger, set};

fn graphs() -> Vec<(Value, Value)> {
    let chain = after_trigger(
        &[
            ("a", "call", json!({"reply": {"a": "{{ n }}"}})),
            ("p", "transform", json!({"set": {"p": "{{ a + 1 }}"}})),
            ("b", "call", json!({"reply": {"b": "{{ p }}"}})),
        ],
        &["t>a", "a>p", "p>b"],
    );
    let diamond = after_trigger(
        &[
            ("a", "call", json!({"reply": {"x": 1, "a": 1}})),
            (
                "b",
                "call",
                json!({"reply": {"x": 2, "b": "{{ n }}"}, "output": "b"}),
            ),
            ("c", "condition", json!({"expression": "a == 1"})),
            ("yes", "call", json!({"reply": {"yes": "{{ x }}"}})),
            ("no", "call", json!({})),
            ("off", "transform", json!({"set": {}, "disabled": true})),
            (
                "join",
                "transform",
                json!({"set": {"join": "{{ nodes.yes.status }}{{ nodes.no.status }}"}}),
            ),
        ],
        &[
            "t>a",
            "t>b",
            "a>c",
            "c:true>yes",
            "c:false>no",
            "b>off",
            "off>join",
            "yes>join",
            "no>join",
        ],
    );
    let failing = after_trigger(
        &[
            (
                "flaky",
                "call",
                json!({"reply": {"flaky": 1}, "retry": {"maxAttempts": 2, "initialIntervalMs": 1}}),
            ),
            ("bad", "call", json!({"reply": {"n": "{{ missing.key }}"}})),
            (
                "handle",
                "transform",
                json!({"set": {"code": "{{ error.code }}"}}),
            ),
            ("end", "transform", set("end", true)),
        ],
        &["t>flaky", "t>bad", "bad:error>handle", "flaky>end", "handle>end"],
    );
    vec![
        (chain, json!({"n": 1})),
        (diamond, json!({"n": [1, {"k": null}]})),
        (failing, json!({})),
    ]
}

fn world() -> World {
    World::new().script("flaky", [Act::Fail(NodeFailure::retry("network", "reset"))])
}

#[tokio::test]
async fn rule_28_resuming_from_any_prefix_of_the_journal_gives_the_same_result() {
    for (document, input) in graphs() {
        let first = Harness::new(&world(), &document, input.clone()).go_on().await;
        for length in 0..=first.journal.len() {
            let world = World::new();
            let mut harness = Harness::new(&world, &document, input.clone());
            harness.history = first.journal[..length].to_vec();
            let done: Vec<_> = harness
                .history
                .iter()
                .filter(|entry| matches!(entry, Entry::Completed { .. } | Entry::Failed { .. }))
                .filter_map(|entry| entry.path().map(str::to_owned))
                .collect();
            let again = harness.go_on().await;
            assert_eq!(
                again.output().to_string(),
                first.output().to_string(),
                "from {length}"
            );
            for call in world.calls.lock().unwrap().iter() {
                assert!(
                    !done.contains(&call.node_id),
                    "{} was called again from {length}",
                    call.node_id
                );
            }
        }
    }
}

#[tokio::test]
async fn rule_28_losing_the_lease_at_any_commit_loses_nothing_that_was_committed() {
    for (document, input) in graphs() {
        let expected = Harness::new(&world(), &document, input.clone())
            .go_on()
            .await
            .output();
        let world = world();
        let mut harness = Harness::new(&world, &document, input.clone());
        // Each holder commits once and then loses its lease; it goes on as long as that takes.
        harness.lease = 1;
        let mut holders = 0;
        let ended = loop {
            let ended = harness.go_on().await;
            if ended.outcome != gristmill_engine::Outcome::Lost {
                break ended;
            }
            harness.history = ended.journal;
            // A holder that only says `started` every time would go on for ever; the next may commit more.
            harness.lease = 1 + holders % 2;
            holders += 1;
            assert!(holders < 100);
        };
        assert_eq!(ended.output(), expected);
    }
}

#[test]
fn floats_come_back_from_the_journal_as_they_were() {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut floats = vec![
        0.1,
        -0.0,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        1e23,
        9_007_199_254_740_993.0,
    ];
    while floats.len() < 20_000 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        floats.push(f64::from_bits(bits));
        // Of the sizes that are common.
        floats.push(bits as f64 / 1e15);
    }
    floats.retain(|float| float.is_finite());
    let entry = Entry::Expanded {
        path: "a".to_owned(),
        at: 0,
        items: Arc::new(floats.iter().map(|float| json!(float)).collect()),
    };
    let text = serde_json::to_string(&entry).unwrap();
    let Entry::Expanded { items, .. } = serde_json::from_str(&text).unwrap() else {
        panic!("{text}");
    };
    let read: Vec<_> = items
        .iter()
        .map(|item| item.as_f64().unwrap().to_bits())
        .collect();
    let written: Vec<_> = floats.iter().map(|float| float.to_bits()).collect();
    assert_eq!(read, written);
}
