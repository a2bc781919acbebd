//! What models used: it is in the books however the attempt ended.

use std::sync::Arc;

use gristmill_core::Totals;
use gristmill_core::journal::{Entry, Usage};
use gristmill_engine::{NodeFailure, Outcome, State};
use serde_json::json;

use crate::support::{Act, Ended, Harness, World, after_trigger};

fn usage(tokens: u64) -> Usage {
    Usage {
        tokens,
        cost_micros: tokens * 10,
        model: Some("grinder-1".to_owned()),
    }
}

/// The totals of an execution that ended, which are those of whoever folds its journal.
fn totals(harness: &Harness, ended: &Ended) -> Totals {
    let (Outcome::Completed { totals, .. } | Outcome::Failed { totals, .. }) = &ended.outcome else {
        panic!("{:?}", ended.outcome);
    };
    let folded = State::resume(Arc::clone(&harness.plan), &harness.run, &ended.journal).unwrap();
    assert_eq!(folded.totals(), *totals);
    *totals
}

/// Type, path and tokens of every entry that has usage.
fn used(ended: &Ended) -> Vec<(String, u64)> {
    let names = ended.names().into_iter().zip(&ended.journal);
    names
        .filter_map(|(name, entry)| Some((name, entry.usage()?.tokens)))
        .collect()
}

#[tokio::test]
async fn an_attempt_that_is_retried_costs_what_it_used() {
    let document = after_trigger(&[("a", "call", json!({"reply": {"a": 1}}))], &["t>a"]);
    let busy = NodeFailure::retry("http_status", "busy");
    let world = World::new().script(
        "a",
        [
            Act::Fail(busy.clone().with_usage(Some(usage(3)))),
            Act::Fail(busy),
            Act::Use(usage(40)),
        ],
    );
    let harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go_on().await;
    assert_eq!(
        used(&ended),
        [("retrying:a".to_owned(), 3), ("completed:a".to_owned(), 40)]
    );
    let totals = totals(&harness, &ended);
    assert_eq!((totals.tokens_used, totals.cost_micros), (43, 430));
    assert_eq!(totals.nodes_executed, 2);
}

#[tokio::test]
async fn an_attempt_that_fails_its_node_costs_what_it_used() {
    let document = after_trigger(&[("a", "call", json!({}))], &["t>a"]);
    let refused = NodeFailure::last("refused", "no").with_usage(Some(usage(5)));
    let world = World::new().script("a", [Act::Fail(refused)]);
    let harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go().await;
    assert_eq!(used(&ended), [("failed:a".to_owned(), 5)]);
    assert_eq!(totals(&harness, &ended).tokens_used, 5);
}

#[tokio::test]
async fn an_answer_that_is_too_large_costs_what_it_used() {
    let reply = json!({"reply": {"a": "{{ s * 300 }}"}, "onError": "continue"});
    let document = after_trigger(&[("a", "call", reply)], &["t>a"]);
    let world = World::new().script("a", [Act::Use(usage(7))]);
    let mut harness = Harness::new(&world, &document, json!({"s": "abc"}));
    harness.options.limits.max_node_output = 800;
    let ended = harness.go().await;
    assert_eq!(used(&ended), [("failed:a".to_owned(), 7)]);
    assert_eq!(totals(&harness, &ended).tokens_used, 7);
}

/// Two attempts end together, and the first fails the execution: the second one's answer is dropped, and paid for.
#[tokio::test]
async fn an_attempt_whose_end_is_dropped_costs_what_it_used() {
    let calls = [("a", "call", json!({})), ("b", "call", json!({}))];
    let document = after_trigger(&calls, &["t>a", "t>b"]);
    let act = |node, tokens| {
        let failure = NodeFailure::last("refused", node);
        Act::Fail(failure.with_usage(Some(usage(tokens))))
    };
    let world = World::new()
        .script("a", [act("a", 1)])
        .script("b", [act("b", 20)]);
    let harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go().await;
    let aborted = ended
        .journal
        .iter()
        .filter(|entry| matches!(entry, Entry::Aborted { .. }));
    assert_eq!(aborted.count(), 1, "{:?}", ended.journal);
    assert_eq!(used(&ended).len(), 2);
    assert_eq!(totals(&harness, &ended).tokens_used, 21);
}
