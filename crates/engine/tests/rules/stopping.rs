//! Stopping: drain, stop and lost leases.

use std::sync::Arc;
use std::time::Duration;

use gristmill_engine::{Command, Outcome};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Act, Harness, RestlessClock, World, after_trigger, set};

fn two_calls() -> Value {
    after_trigger(
        &[
            ("a", "call", json!({"reply": {"a": 1}})),
            ("b", "call", json!({"reply": {"b": 1}})),
        ],
        &["t>a", "a>b"],
    )
}

async fn called(world: &World, call: &str) {
    let event = format!("call {call}");
    world.until(|events| events.contains(&event)).await;
}

#[tokio::test]
async fn a_drain_lets_effects_end_and_starts_nothing_new() {
    let gate = Arc::new(Notify::new());
    let world = World::new().script("a", [Act::Gate(gate.clone())]);
    let harness = Harness::new(&world, &two_calls(), json!({}));
    let drain = async {
        called(&world, "a#1").await;
        harness.commands.send_replace(Command::Drain.into());
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    assert!(
        matches!(ended.outcome, Outcome::Released { .. }),
        "{:?}",
        ended.outcome
    );
    assert_eq!(ended.names(), ["completed:t", "started:a", "completed:a"]);
}

#[tokio::test]
async fn a_drain_aborts_and_journals_what_does_not_end_in_time() {
    let world = World::new().script("a", [Act::Hang]);
    let mut harness = Harness::new(&world, &two_calls(), json!({}));
    harness.options.drain_grace = Duration::from_millis(20);
    let drain = async {
        called(&world, "a#1").await;
        harness.commands.send_replace(Command::Drain.into());
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    assert!(
        matches!(ended.outcome, Outcome::Released { .. }),
        "{:?}",
        ended.outcome
    );
    assert_eq!(ended.status("a"), "aborted");

    let mut next = Harness::new(&world, &two_calls(), json!({}));
    next.history = ended.journal;
    assert_eq!(next.go().await.output(), json!({"a": 1, "b": 1}));
    assert_eq!(
        world.calls(),
        ["a#1", "a#1", "b#1"],
        "an aborted attempt uses no retry"
    );
}

#[tokio::test]
async fn an_execution_that_completes_while_draining_is_completed() {
    let gate = Arc::new(Notify::new());
    let document = after_trigger(
        &[("a", "call", json!({})), ("p", "transform", set("p", 1))],
        &["t>a", "a>p"],
    );
    let world = World::new().script("a", [Act::Gate(gate.clone())]);
    let harness = Harness::new(&world, &document, json!({}));
    let drain = async {
        called(&world, "a#1").await;
        harness.commands.send_replace(Command::Drain.into());
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    assert_eq!(ended.output(), json!({"p": 1}));
}

#[tokio::test]
async fn a_stop_aborts_everything_and_writes_nothing() {
    let world = World::new().script("a", [Act::Hang]);
    let harness = Harness::new(&world, &two_calls(), json!({}));
    let stop = async {
        called(&world, "a#1").await;
        harness.commands.send_replace(Command::Stop.into());
    };
    let (ended, ()) = tokio::join!(harness.go(), stop);
    assert_eq!(ended.outcome, Outcome::Lost);
    assert_eq!(ended.names(), ["completed:t", "started:a"]);
    world.until(|events| events.contains(&"dropped".to_owned())).await;
}

#[tokio::test]
async fn no_effect_begins_under_a_lost_lease() {
    let world = World::new();
    let mut harness = Harness::new(&world, &two_calls(), json!({}));
    harness.lease = 0;
    assert_eq!(harness.go().await.outcome, Outcome::Lost);
    assert_eq!(world.calls(), [""; 0]);
}

#[tokio::test]
async fn a_run_can_be_spawned_and_dropping_it_aborts_its_effects() {
    let world = World::new().script("a", [Act::Hang]);
    let harness = Harness::new(&world, &two_calls(), json!({}));
    let task = tokio::spawn(async move { harness.go().await });
    called(&world, "a#1").await;
    task.abort();
    world.until(|events| events.contains(&"dropped".to_owned())).await;
}

#[tokio::test]
async fn a_drain_does_not_lose_a_timer_that_rings_in_the_same_moment() {
    for millis in 0..40 {
        for unseen in 0..2 {
            let document = after_trigger(
                &[
                    ("w", "wait", json!({"durationMs": millis})),
                    ("end", "transform", set("end", true)),
                ],
                &["t>w", "w>end"],
            );
            let world = World::new();
            let harness = Harness::new(&world, &document, json!({}));
            harness.commands.send_replace(Command::Drain.into());
            // A message of which the control knows nothing keeps the execution once from being suspended.
            for _ in 0..unseen {
                world.send("signal:other", Value::Null);
            }
            let ended = harness.go_by(&RestlessClock::new(1_000_000)).await;
            assert_ne!(
                ended.outcome,
                Outcome::Suspended { wake_at: None },
                "{millis} ms, {unseen} messages"
            );
        }
    }
}

#[tokio::test]
async fn a_drain_does_not_leave_behind_what_it_stopped_and_nobody_may_repeat() {
    let data = json!({"atMostOnce": true, "onError": "continue"});
    let document = after_trigger(&[("a", "call", data)], &["t>a"]);
    let world = World::new().script("a", [Act::Hang]);
    let mut harness = Harness::new(&world, &document, json!({}));
    harness.options.drain_grace = Duration::ZERO;
    let drain = async {
        called(&world, "a#1").await;
        harness.commands.send_replace(Command::Drain.into());
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    assert_eq!(ended.output()["error"]["code"], "outcome_unknown");
}
