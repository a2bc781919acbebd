//! Rules 17 and 28: a failed execution that goes on, by an operator or by itself, and what must not be repeated.

use gristmill_core::journal::Entry;
use gristmill_engine::{Command, NodeFailure, Outcome};
use serde_json::{Value, json};

use crate::support::{Act, Harness, World, after_trigger};

fn broken() -> Act {
    Act::Fail(NodeFailure::last("http_status", "gone"))
}

fn retried(settings: Value) -> Value {
    let mut document = after_trigger(
        &[
            ("done", "call", json!({"reply": {"done": 1}})),
            ("a", "call", json!({"reply": {"a": 1}})),
        ],
        &["t>done", "done>a"],
    );
    document["settings"] = settings;
    document
}

#[tokio::test]
async fn rule_17_a_workflows_own_retry_goes_on_from_the_journal_after_its_backoff() {
    let document =
        retried(json!({"retry": {"maxAttempts": 3, "initialIntervalMs": 10_000, "jitter": false}}));
    let world = World::new().script("a", [broken(), broken()]);
    let mut ended = Harness::new(&world, &document, json!({})).go().await;
    for wake in [1_010_000, 1_030_000] {
        assert_eq!(ended.outcome, Outcome::Suspended { wake_at: Some(wake) });
        // Too early: nothing runs.
        let calls = world.calls().len();
        let early = Harness::new(&world, &document, json!({}))
            .after(&ended)
            .go()
            .await;
        assert_eq!(early.outcome, Outcome::Suspended { wake_at: Some(wake) });
        assert_eq!(world.calls().len(), calls);
        world
            .clock
            .advance(wake - gristmill_engine::Clock::now(&world.clock));
        ended = Harness::new(&world, &document, json!({}))
            .after(&ended)
            .go()
            .await;
    }
    assert_eq!(ended.output(), json!({"done": 1, "a": 1}));
    assert_eq!(world.calls(), ["done#1", "a#1", "a#1", "a#1"]);
    assert_eq!(world.calls.lock().unwrap()[3].idempotency_key, "wf_exec_1:a:r2");
}

#[tokio::test]
async fn rule_17_a_workflows_own_retry_is_used_up_and_an_operator_renews_it() {
    let document = retried(json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 1}}));
    let world = World::new().script("a", [broken(), broken(), broken(), broken()]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "http_status at a");
    assert_eq!(world.calls().len(), 3);
    let mut again = Harness::new(&world, &document, json!({})).after(&ended);
    again.history.push(Entry::Reopened {
        at: 1_000_000,
        resume_at: None,
    });
    assert_eq!(again.go_on().await.failure(), "http_status at a");
    assert_eq!(world.calls().len(), 5);
}

#[tokio::test]
async fn rule_17_some_failures_are_not_worth_a_retry() {
    let document = retried(json!({"retry": {"nonRetryable": ["http_status"]}}));
    let world = World::new().script("a", [broken()]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "http_status at a");
}

#[tokio::test]
async fn rule_17_an_operators_retry_gives_the_whole_time_again() {
    let document = retried(json!({"timeoutMs": 1_000}));
    let world = World::new();
    world.clock.advance(1_000);
    let late = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(late.failure(), "timeout at -");
    let mut again = Harness::new(&world, &document, json!({})).after(&late);
    again.history.push(Entry::Reopened {
        at: 1_001_000,
        resume_at: None,
    });
    assert_eq!(again.go().await.output(), json!({"done": 1, "a": 1}));
}

#[tokio::test]
async fn rule_28_a_failed_execution_that_is_run_again_without_being_reopened_stays_failed() {
    let world = World::new().script("a", [broken()]);
    let failed = Harness::new(&world, &retried(json!({})), json!({})).go().await;
    let again = Harness::new(&world, &retried(json!({})), json!({}))
        .after(&failed)
        .go()
        .await;
    assert_eq!(again.outcome, failed.outcome_without_entries());
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn rule_13_codes_that_are_not_retryable_are_not_retried() {
    let data = json!({"retry": {"maxAttempts": 5, "initialIntervalMs": 1, "nonRetryable": ["http_status"]}});
    let document = after_trigger(&[("a", "call", data)], &["t>a"]);
    let network = Act::Fail(NodeFailure::retry("network", "reset"));
    let status = Act::Fail(NodeFailure::retry("http_status", "503"));
    let world = World::new().script("a", [network, status]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "http_status at a");
    assert_eq!(world.calls(), ["a#1", "a#2"]);
}

fn once(more: Value) -> Value {
    let mut data = json!({"atMostOnce": true});
    data.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    after_trigger(&[("a", "call", data)], &["t>a"])
}

#[tokio::test]
async fn rule_28_at_most_once_turns_a_lost_attempt_into_outcome_unknown() {
    for then in [json!({}), json!({"onError": "continue"})] {
        let world = World::new();
        let mut harness = Harness::new(&world, &once(then.clone()), json!({}));
        let complete = harness.go().await;
        // The worker died between the start and the end.
        harness.history = complete.journal[..2].to_vec();
        world.calls.lock().unwrap().clear();
        let again = harness.go().await;
        match then.get("onError") {
            None => assert_eq!(again.failure(), "outcome_unknown at a"),
            Some(_) => assert_eq!(again.output()["error"]["code"], "outcome_unknown"),
        }
        assert_eq!(world.calls(), [""; 0]);
    }
}

#[tokio::test]
async fn rule_28_at_most_once_also_holds_for_what_a_drain_aborts() {
    let world = World::new().script("a", [Act::Hang]);
    let mut harness = Harness::new(&world, &once(json!({})), json!({}));
    harness.options.drain_grace = std::time::Duration::ZERO;
    let drain = async {
        world
            .until(|events| events.contains(&"call a#1".to_owned()))
            .await;
        harness.commands.send_replace(Command::Drain.into());
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    let again = Harness::new(&world, &once(json!({})), json!({})).after(&ended);
    assert_eq!(again.go().await.failure(), "outcome_unknown at a");
    assert_eq!(world.calls(), ["a#1"]);
}

#[tokio::test]
async fn rule_28_at_most_once_is_one_attempt_and_only_an_operator_repeats_it() {
    let mut document = once(json!({}));
    document["settings"] = json!({"retry": {"maxAttempts": 5, "initialIntervalMs": 1}});
    let world = World::new().script("a", [Act::Fail(NodeFailure::retry("network", "reset"))]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "network at a");
    assert_eq!(world.calls(), ["a#1"]);
    let mut again = Harness::new(&world, &document, json!({})).after(&ended);
    again.history.push(Entry::Reopened {
        at: 1_000_000,
        resume_at: None,
    });
    again.go().await.output();

    let problems = World::new()
        .compile(&once(json!({"retry": {"maxAttempts": 2}})))
        .unwrap_err();
    assert_eq!(
        (problems[0].path.as_str(), problems[0].code),
        ("$.nodes[1].data.retry", "contradiction")
    );
}

#[tokio::test]
async fn rule_28_an_operator_repeats_what_was_lost_with_the_last_worker() {
    let document = once(json!({}));
    let first = Harness::new(&World::new(), &document, json!({})).go().await;
    let world = World::new();
    let mut again = Harness::new(&world, &document, json!({}));
    // The execution was failed for the worker's loss, so nothing tells of the attempt's end.
    again.history = first.journal[..2].to_vec();
    again.history.push(Entry::Reopened {
        at: 1_000_000,
        resume_at: None,
    });
    again.go().await.output();
    assert_eq!(world.calls(), ["a#1"]);

    // Lost once more after that, nobody wants it repeated.
    again.history.push(first.journal[1].clone());
    assert_eq!(again.go().await.failure(), "outcome_unknown at a");
}
