//! The state machine on its own: no runtime, no clock, nothing that runs. Graphs are made at random, by the hundred.

use std::sync::Arc;

use gristmill_core::journal::{AfterFailure, Entry, NodeError, WaitsFor};
use gristmill_engine::{ForeignEntry, Inline, Plan, Run, State};
use serde_json::{Map, Value, json};

use crate::support::{Harness, World, after_trigger};

fn run_of(document: &Value) -> (Arc<Plan>, Run) {
    let harness = Harness::new(&World::new(), document, json!({"x": "input"}));
    (harness.plan, harness.run)
}

fn completed(path: &str, output: Value) -> Entry {
    let Value::Object(output) = output else {
        panic!("{output}")
    };
    Entry::Completed {
        path: path.into(),
        at: 0,
        duration_ms: 0,
        output: output.into(),
        handle: None,
        usage: None,
        mail: None,
    }
}

fn started(path: &str) -> Entry {
    Entry::Started {
        path: path.into(),
        at: 0,
        attempt: 1,
    }
}

#[test]
fn rule_12_the_lowest_rank_starts_first_and_no_more_than_may_run_together() {
    let calls = [
        ("a", "call", json!({})),
        ("b", "call", json!({})),
        ("c", "call", json!({})),
    ];
    let (plan, run) = run_of(&after_trigger(&calls, &["t>a", "t>b", "t>c"]));
    let mut state = State::new(plan, &run);
    assert_eq!(state.next_effect(0, 2), None);
    assert_eq!(state.next_inline(0), Some(Inline::Evaluate(0)));
    state.apply(&completed("t", json!({}))).unwrap();
    for (index, path) in [(1, "a"), (2, "b")] {
        assert_eq!(state.next_effect(0, 2), Some(index));
        state.apply(&started(path)).unwrap();
    }
    assert_eq!(state.next_effect(0, 2), None);
    state.apply(&completed("b", json!({}))).unwrap();
    assert_eq!(state.next_effect(0, 2), Some(3));
}

#[test]
fn rule_13_a_backoff_ends_when_its_time_comes() {
    let (plan, run) = run_of(&after_trigger(&[("a", "call", json!({}))], &["t>a"]));
    let mut state = State::new(plan, &run);
    let error = NodeError::new("network", "reset").into();
    let retrying = Entry::Retrying {
        path: "a".into(),
        at: 0,
        duration_ms: 0,
        attempt: 1,
        error,
        retry_at: 100,
        usage: None,
        mail: None,
    };
    for entry in [completed("t", json!({})), started("a"), retrying] {
        state.apply(&entry).unwrap();
    }
    assert_eq!((state.next_effect(99, 8), state.next_due()), (None, Some(100)));
    assert_eq!((state.next_effect(100, 8), state.next_due()), (Some(1), None));
    assert_eq!(state.attempt(1), 2);
}

#[test]
fn rule_16_the_error_is_the_first_in_journal_order() {
    let calls = [("a", "call", json!({})), ("b", "call", json!({}))];
    let (plan, run) = run_of(&after_trigger(&calls, &["t>a", "t>b"]));
    let mut state = State::new(plan, &run);
    let error = NodeError::new("http_status", "gone").into();
    let failed = Entry::Failed {
        path: "b".into(),
        at: 0,
        duration_ms: 0,
        attempts: 1,
        error,
        then: AfterFailure::Fail,
        usage: None,
        mail: None,
    };
    let aborted = Entry::Aborted {
        path: "a".into(),
        at: 0,
        reason: "the execution failed".into(),
        usage: None,
    };
    for entry in [
        completed("t", json!({})),
        started("a"),
        started("b"),
        failed,
        aborted,
    ] {
        state.apply(&entry).unwrap();
    }
    let failure = state.failure().unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.path.as_deref()),
        ("http_status", Some("b"))
    );
    assert_eq!((state.next_effect(0, 8), state.next_inline(0)), (None, None));
}

#[test]
fn rule_28_a_completed_node_stays_completed() {
    let (plan, run) = run_of(&after_trigger(&[("a", "call", json!({}))], &["t>a"]));
    let history = [
        completed("t", json!({})),
        completed("a", json!({"n": 1})),
        started("a"),
        completed("a", json!({"n": 2})),
    ];
    let state = State::resume(plan, &run, &history).unwrap();
    assert!(state.is_complete());
    assert_eq!(Value::Object(state.result()), json!({"x": "input", "n": 1}));
    assert_eq!(state.totals().nodes_executed, 2);
}

#[test]
fn an_entry_of_another_definition_is_refused() {
    let (plan, run) = run_of(&after_trigger(&[], &[]));
    let result = State::resume(plan, &run, &[started("elsewhere")]);
    assert_eq!(
        result.err(),
        Some(ForeignEntry {
            path: "elsewhere".into()
        })
    );
}

/// Numbers that look random and are equal for equal seeds.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A graph of calls, transforms, conditions and disabled nodes with edges from earlier to later ones.
fn random_document(dice: &mut Dice) -> Value {
    let count = 2 + dice.below(14);
    let mut nodes = vec![json!({"id": "n0", "type": "trigger"})];
    let mut edges = Vec::new();
    for index in 1..count {
        let (kind, data) = match dice.below(5) {
            0 | 1 => ("call", json!({})),
            2 => ("transform", json!({"set": {}})),
            3 => ("condition", json!({"expression": "true"})),
            _ => ("transform", json!({"set": {}, "disabled": true})),
        };
        nodes.push(json!({"id": format!("n{index}"), "type": kind, "data": data}));
        for _ in 0..dice.below(4) {
            let source = dice.below(index);
            let handle = match (nodes[source]["type"].as_str(), dice.below(3)) {
                (Some("condition"), 0) => json!("true"),
                (Some("condition"), 1) => json!("false"),
                _ => Value::Null,
            };
            edges.push(json!({"source": format!("n{source}"), "target": format!("n{index}"), "sourceHandle": handle}));
        }
    }
    json!({"nodes": nodes, "edges": edges})
}

/// Takes every decision to its end, effects in an order that `dice` chooses; what a node puts out depends on itself only.
fn drive(state: &mut State, plan: &Plan, document: &Value, dice: &mut Dice, journal: &mut Vec<Entry>) {
    let end = |index: u32| {
        let id = plan.node_id(index);
        let nodes = document["nodes"].as_array().unwrap();
        let kind = nodes.iter().find(|node| node["id"] == id).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut output = Map::new();
        output.insert("x".into(), id.into());
        output.insert(id.to_owned(), 1.into());
        let handle = (kind == "condition").then(|| ["true", "false"][index as usize % 2].to_owned());
        Entry::Completed {
            path: id.into(),
            at: 0,
            duration_ms: 0,
            output: output.into(),
            handle,
            usage: None,
            mail: None,
        }
    };
    while !state.is_complete() {
        let entry = if let Some(inline) = state.next_inline(0) {
            match inline {
                Inline::Skip(index) => Entry::Skipped {
                    path: plan.node_id(index).into(),
                    at: 0,
                },
                Inline::Disable(index) => Entry::Disabled {
                    path: plan.node_id(index).into(),
                    at: 0,
                },
                Inline::Evaluate(index) => end(index),
                other => panic!("{other:?}"),
            }
        } else if let Some(index) = state.next_effect(0, 1 + dice.below(4)) {
            started(plan.node_id(index))
        } else {
            let in_flight = state.in_flight();
            assert!(
                !in_flight.is_empty(),
                "stuck: nothing is ready and nothing in flight"
            );
            end(in_flight[dice.below(in_flight.len())])
        };
        state.apply(&entry).unwrap();
        journal.push(entry);
    }
}

#[test]
fn rule_11_any_order_of_effects_and_any_crash_come_to_the_same_result() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let document = random_document(&mut dice);
        let (plan, run) = run_of(&document);
        let mut journal = Vec::new();
        let mut first = State::new(plan.clone(), &run);
        drive(&mut first, &plan, &document, &mut dice, &mut journal);
        for length in 0..=journal.len() {
            let mut again = State::resume(plan.clone(), &run, &journal[..length]).unwrap();
            let mut rest = Vec::new();
            drive(&mut again, &plan, &document, &mut dice, &mut rest);
            assert_eq!(again.result(), first.result(), "seed {seed}, from {length}");
            assert_eq!(again.totals(), first.totals(), "seed {seed}, from {length}");
        }
    }
}

#[test]
fn a_timer_that_has_rung_stays_rung_for_whoever_looks_with_an_earlier_time() {
    let wait = json!({"durationMs": 100});
    let (plan, run) = run_of(&after_trigger(&[("w", "wait", wait)], &["t>w"]));
    let mut state = State::new(plan, &run);
    let waiting = Entry::Waiting {
        path: "w".into(),
        at: 0,
        until: Some(100),
        on: WaitsFor::Timer,
    };
    for entry in [completed("t", json!({})), waiting] {
        state.apply(&entry).unwrap();
    }
    assert_eq!((state.next_inline(99), state.next_due()), (None, Some(100)));
    for now in [100, 99] {
        assert!(!state.is_ready(now));
        assert_eq!(state.next_inline(now), Some(Inline::TimeUp(1)));
    }
}
