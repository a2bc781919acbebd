//! Rules 12 to 14, 19, 26 and 27: effects, retries, keys, waiting, order in the journal, the deadline.

use std::time::Duration;

use gristmill_core::journal::Entry;
use gristmill_engine::{NodeFailure, Outcome};
use serde_json::json;

use crate::support::{Act, Harness, RestlessClock, World, after_trigger, set};

fn retry() -> Act {
    Act::Fail(NodeFailure::retry("network", "connection refused"))
}

#[tokio::test]
async fn rule_12_effects_start_by_rank_up_to_max_parallel_and_pure_nodes_go_first() {
    let mut document = after_trigger(
        &[
            ("a", "call", json!({})),
            ("b", "call", json!({})),
            ("c", "call", json!({})),
            ("pure", "transform", set("x", 1)),
        ],
        &["t>a", "t>b", "t>c", "t>pure"],
    );
    document["settings"] = json!({"maxParallel": 2});
    let world = World::new();
    let ended = Harness::new(&world, &document, json!({})).go().await;
    ended.output();
    assert_eq!(
        world.events()[0],
        "commit completed:t completed:pure started:a started:b"
    );
    assert_eq!(world.calls()[2], "c#1");
}

#[tokio::test]
async fn rule_13_max_attempts_counts_the_first_and_every_end_is_journalled() {
    let data = json!({"retry": {"maxAttempts": 3, "initialIntervalMs": 1, "maxIntervalMs": 5}});
    let document = after_trigger(&[("a", "call", data)], &["t>a"]);
    let world = World::new().script("a", [retry(), retry(), retry()]);
    let ended = Harness::new(&world, &document, json!({})).go_on().await;
    assert_eq!(ended.failure(), "network at a");
    assert_eq!(
        ended.names()[1..],
        [
            "started:a",
            "retrying:a",
            "started:a",
            "retrying:a",
            "started:a",
            "failed:a"
        ]
    );
    assert!(matches!(
        ended.journal.last(),
        Some(Entry::Failed { attempts: 3, .. })
    ));
    assert_eq!(world.calls(), ["a#1", "a#2", "a#3"]);
}

#[tokio::test]
async fn rule_13_an_attempt_that_died_with_its_worker_is_not_counted() {
    let document = after_trigger(
        &[(
            "a",
            "call",
            json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 1}}),
        )],
        &["t>a"],
    );
    let world = World::new();
    let mut harness = Harness::new(&world, &document, json!({}));
    harness.history = harness.go().await.journal[..1].to_vec();
    world.calls.lock().unwrap().clear();
    for attempt in [1, 1, 1] {
        harness.history.push(Entry::Started {
            path: "a".into(),
            at: 1,
            attempt,
        });
    }
    harness.go().await.output();
    assert_eq!(world.calls(), ["a#1"]);
}

#[tokio::test]
async fn rule_13_timeout_is_per_attempt_and_retried() {
    let data =
        json!({"timeoutMs": 20, "retry": {"maxAttempts": 2, "initialIntervalMs": 1}, "reply": {"ok": true}});
    let document = after_trigger(&[("a", "call", data)], &["t>a"]);
    let world = World::new().script("a", [Act::Hang]);
    let harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go_on().await;
    assert_eq!(ended.output(), json!({"ok": true}));
    let timed_out = ended
        .journal
        .iter()
        .any(|entry| matches!(entry, Entry::Retrying { error, .. } if error.code == "timeout"));
    assert!(timed_out, "{:?}", ended.journal);
}

#[tokio::test]
async fn rule_13_retry_after_replaces_the_interval_up_to_the_longest() {
    let data = json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 1, "maxIntervalMs": 60_000}});
    let document = after_trigger(&[("a", "call", data)], &["t>a"]);
    for (asked, granted) in [(30, 30_000), (3_600, 60_000)] {
        let failure = NodeFailure::retry("http_status", "429").after(Some(Duration::from_secs(asked)));
        let world = World::new().script("a", [Act::Fail(failure)]);
        let ended = Harness::new(&world, &document, json!({})).go().await;
        let Outcome::Suspended { wake_at } = ended.outcome else {
            panic!("{:?}", ended.outcome)
        };
        assert_eq!(wake_at, Some(1_000_000 + granted));
    }
}

#[tokio::test]
async fn rule_14_the_idempotency_key_is_equal_for_all_automatic_retries() {
    let document = after_trigger(
        &[(
            "a",
            "call",
            json!({"retry": {"maxAttempts": 3, "initialIntervalMs": 1}}),
        )],
        &["t>a"],
    );
    let world = World::new().script("a", [retry(), retry()]);
    let harness = Harness::new(&world, &document, json!({}));
    harness.go_on().await.output();
    let keys: Vec<_> = world
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|call| call.idempotency_key.clone())
        .collect();
    assert_eq!(keys, ["wf_exec_1:a"; 3]);
}

#[tokio::test]
async fn rule_19_an_execution_is_suspended_only_when_nothing_is_in_flight_or_ready() {
    let slow = json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 60_000}});
    let mut document = after_trigger(
        &[
            ("a", "call", slow),
            ("b", "call", json!({})),
            ("c", "transform", set("c", 1)),
        ],
        &["t>a", "t>b", "b>c"],
    );
    document["settings"] = json!({"timeoutMs": 3_600_000});
    let world = World::new().script("a", [retry()]);
    let mut harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go().await;
    let Outcome::Suspended {
        wake_at: Some(wake_at),
    } = ended.outcome
    else {
        panic!("{:?}", ended.outcome)
    };
    assert!((1_030_000..=1_060_000).contains(&wake_at), "{wake_at}");
    assert_eq!(ended.status("c"), "completed");

    // Too early: nothing changes. In time: it goes on where it was.
    harness.history = ended.journal;
    let early = harness.go().await;
    assert_eq!(
        early.outcome,
        Outcome::Suspended {
            wake_at: Some(wake_at)
        }
    );
    world.clock.advance(wake_at - 1_000_000);
    harness.go().await.output();
    assert_eq!(
        world.calls().iter().filter(|call| call.starts_with('b')).count(),
        1
    );
    assert!(world.calls().contains(&"a#2".to_owned()));
}

#[tokio::test]
async fn rule_19_the_deadline_wakes_a_suspended_execution_if_it_comes_first() {
    let mut document = after_trigger(
        &[(
            "a",
            "call",
            json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 60_000}}),
        )],
        &["t>a"],
    );
    document["settings"] = json!({"timeoutMs": 10_000});
    let world = World::new().script("a", [retry()]);
    let mut harness = Harness::new(&world, &document, json!({}));
    let ended = harness.go().await;
    assert!(
        matches!(
            ended.outcome,
            Outcome::Suspended {
                wake_at: Some(1_010_000),
            }
        ),
        "{:?}",
        ended.outcome
    );
    harness.history = ended.journal;
    world.clock.advance(10_000);
    assert_eq!(harness.go().await.failure(), "timeout at -");
}

#[tokio::test]
async fn rule_26_the_end_of_an_effect_is_committed_before_anything_that_depends_on_it_begins() {
    let document = after_trigger(
        &[
            ("a", "call", json!({"reply": {"x": 1}})),
            ("p", "transform", json!({"set": {"y": "{{ x + 1 }}"}})),
            ("b", "call", json!({"reply": {"z": "{{ y }}"}})),
            ("end", "transform", json!({"set": {"end": "{{ z }}"}})),
        ],
        &["t>a", "a>p", "p>b", "b>end"],
    );
    let world = World::new();
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.output()["end"], 2);
    assert_eq!(
        world.events(),
        [
            "commit completed:t started:a",
            "call a#1",
            "commit completed:a",
            "commit completed:p started:b",
            "call b#1",
            "commit completed:b"
        ]
    );
    assert_eq!(
        ended.carried, 1,
        "what is pure at the end is left to the settling transaction"
    );
}

#[tokio::test]
async fn rule_27_timeout_ms_counts_from_the_first_claim_and_aborts_what_is_in_flight() {
    let mut document = after_trigger(&[("a", "call", json!({}))], &["t>a"]);
    document["settings"] = json!({"timeoutMs": 40});
    let world = World::new().script("a", [Act::Pass(40)]);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.failure(), "timeout at -");
    assert_eq!(ended.status("a"), "aborted");

    let world = World::new();
    world.clock.advance(40);
    let ended = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(ended.failure(), "timeout at -");
    assert_eq!(world.calls(), [""; 0]);
}

/// A backoff may end between any two looks that the driver takes at the clock.
#[tokio::test]
async fn rule_13_a_backoff_that_ends_within_a_turn_is_not_missed() {
    for interval in 1..=30 {
        let data = json!({"retry": {"maxAttempts": 2, "initialIntervalMs": interval}});
        let world = World::new().script("a", [retry()]);
        let document = after_trigger(&[("a", "call", data)], &["t>a"]);
        let harness = Harness::new(&world, &document, json!({}));
        let ended = harness.go_by(&RestlessClock::new(1_000_000)).await;
        assert!(
            matches!(ended.outcome, Outcome::Completed { .. }),
            "{interval} ms: {:?}",
            ended.outcome
        );
    }
}
