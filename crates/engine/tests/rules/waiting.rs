//! Rules 19 and 20: waits, signals, and what ends them.

use std::time::Duration;

use gristmill_core::journal::{Entry, WaitsFor};
use gristmill_engine::Outcome;
use serde_json::{Value, json};

use crate::support::{Act, Ended, Harness, World, after_trigger, run, set};

fn waiting() -> Value {
    after_trigger(
        &[
            ("w", "wait", json!({"durationMs": 60_000})),
            ("end", "transform", set("end", true)),
        ],
        &["t>w", "w>end"],
    )
}

fn suspended_until(ended: &Ended) -> Option<i64> {
    match ended.outcome {
        Outcome::Suspended { wake_at } => wake_at,
        ref other => panic!("not suspended: {other:?}"),
    }
}

#[tokio::test]
async fn rule_20_a_wait_commits_its_due_time_and_holds_no_worker() {
    let world = World::new();
    let first = Harness::new(&world, &waiting(), json!({})).go().await;
    assert_eq!(suspended_until(&first), Some(1_060_000));
    assert!(matches!(
        first.journal.last(),
        Some(Entry::Waiting {
            until: Some(1_060_000),
            on: WaitsFor::Timer,
            ..
        })
    ));

    // Taken up too early, it goes on waiting until the same time; later, it is over at once.
    world.clock.advance(1_000);
    let early = Harness::new(&world, &waiting(), json!({}))
        .after(&first)
        .go()
        .await;
    assert_eq!(suspended_until(&early), Some(1_060_000));
    assert_eq!(early.journal.len(), first.journal.len());
    world.clock.advance(10_000_000);
    let late = Harness::new(&world, &waiting(), json!({}))
        .after(&early)
        .go()
        .await;
    assert_eq!(late.output(), json!({"end": true}));
    assert_eq!(late.names()[2..], ["completed:w", "completed:end"]);
}

#[tokio::test]
async fn rule_20_a_time_that_has_passed_is_no_wait() {
    for data in [
        json!({"until": "1970-01-01T00:00:01Z"}),
        json!({"until": "{{ due }}"}),
        json!({"until": 5}),
        json!({"durationMs": 0}),
        json!({"durationMs": "{{ none_at_all|default(0) }}"}),
    ] {
        let document = after_trigger(&[("w", "wait", data)], &["t>w"]);
        let ended = run(&document, json!({"due": "1970-01-01T02:00:00+02:00"})).await;
        assert_eq!(ended.output(), json!({"due": "1970-01-01T02:00:00+02:00"}));
    }
}

#[tokio::test]
async fn rule_20_a_short_wait_is_waited_out_by_the_worker() {
    let document = after_trigger(&[("w", "wait", json!({"durationMs": 20}))], &["t>w"]);
    let ended = Harness::new(&World::new(), &document, json!({})).go_on().await;
    assert_eq!(ended.output(), json!({}));
}

#[test]
fn a_wait_that_says_no_time_is_a_problem() {
    for data in [
        json!({}),
        json!({"durationMs": 1, "until": 1}),
        json!({"durationMs": -1}),
        json!({"durationMs": "soon"}),
        json!({"until": "tomorrow"}),
        json!({"until": {}}),
    ] {
        let document = after_trigger(&[("w", "wait", data.clone())], &["t>w"]);
        assert_eq!(World::new().compile(&document).unwrap_err().len(), 1, "{data}");
    }
}

#[tokio::test]
async fn a_wait_whose_time_cannot_be_read_fails_the_node() {
    let document = after_trigger(&[("w", "wait", json!({"until": "{{ when }}"}))], &["t>w"]);
    let ended = run(&document, json!({"when": "next week"})).await;
    assert_eq!(ended.failure(), "invalid_time at w");
}

fn listening(data: Value) -> Value {
    after_trigger(
        &[
            ("s", "signal", data),
            ("end", "transform", json!({"set": {"end": "{{ go }}"}})),
        ],
        &["t>s", "s>end"],
    )
}

#[tokio::test]
async fn rule_20_a_signal_waits_for_its_message_and_gives_the_payload() {
    let world = World::new();
    let document = listening(json!({"name": "go"}));
    let first = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(suspended_until(&first), None, "only a message can wake it");
    world.send("signal:stop", json!({"other": 1}));
    let second = Harness::new(&world, &document, json!({}))
        .after(&first)
        .go()
        .await;
    assert_eq!(suspended_until(&second), None);
    world.send("signal:go", json!({"by": "Ada"}));
    let third = Harness::new(&world, &document, json!({}))
        .after(&second)
        .go()
        .await;
    assert_eq!(third.output(), json!({"go": {"by": "Ada"}, "end": {"by": "Ada"}}));
    let consumed: Vec<_> = third.journal.iter().filter_map(Entry::mail).collect();
    assert_eq!(consumed, [2]);
}

#[tokio::test]
async fn rule_20_a_message_that_comes_early_is_kept_and_null_is_an_empty_payload() {
    let world = World::new();
    world.send("signal:go", Value::Null);
    let document = listening(json!({"name": "{{ name }}"}));
    let ended = Harness::new(&world, &document, json!({"name": "go"})).go().await;
    assert_eq!(ended.output(), json!({"name": "go", "go": {}, "end": {}}));
}

#[tokio::test]
async fn rule_20_the_lowest_that_waits_gets_the_oldest_message_and_each_is_delivered_once() {
    let document = after_trigger(
        &[
            ("b", "signal", json!({"name": "go", "output": "b"})),
            ("a", "signal", json!({"name": "go", "output": "a"})),
            ("c", "signal", json!({"name": "go", "output": "c"})),
        ],
        &["t>a", "t>b", "b>c"],
    );
    let world = World::new();
    for n in 1..=3 {
        world.send("signal:go", json!({"n": n}));
    }
    let ended = Harness::new(&world, &document, json!({})).go().await;
    let got = |key: &str| ended.output()[key]["go"]["n"].clone();
    assert_eq!((got("a"), got("b"), got("c")), (json!(1), json!(2), json!(3)));

    // What the journal says was consumed is consumed, from whichever point it is taken up.
    for length in 0..ended.journal.len() {
        let mut again = Harness::new(&world, &document, json!({}));
        again.history = ended.journal[..length].to_vec();
        assert_eq!(again.go().await.output(), ended.output(), "from {length}");
    }
}

#[tokio::test]
async fn rule_20_a_signal_that_does_not_come_in_time_fails_or_is_null() {
    for (data, expected) in [
        (json!({"name": "go", "timeoutMs": 10}), None),
        (
            json!({"name": "go", "timeoutMs": 10, "onTimeout": "fail", "onError": "continue"}),
            Some("error"),
        ),
        (
            json!({"name": "go", "timeoutMs": 10, "onTimeout": "continue"}),
            Some("go"),
        ),
    ] {
        let document = after_trigger(&[("s", "signal", data)], &["t>s"]);
        let ended = Harness::new(&World::new(), &document, json!({})).go_on().await;
        match expected {
            None => assert_eq!(ended.failure(), "signal_timeout at s"),
            Some("go") => assert_eq!(ended.output(), json!({"go": null})),
            Some(_) => assert_eq!(ended.output()["error"]["code"], "signal_timeout"),
        }
    }
}

#[tokio::test]
async fn rule_19_a_message_is_folded_while_an_effect_runs() {
    let document = after_trigger(
        &[
            ("hangs", "call", json!({})),
            ("s", "signal", json!({"name": "go"})),
            ("end", "call", json!({"reply": {"end": "{{ go.n }}"}})),
        ],
        &["t>hangs", "t>s", "s>end"],
    );
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let world = World::new().script("hangs", [Act::Gate(gate.clone())]);
    let harness = Harness::new(&world, &document, json!({}));
    let signal = async {
        world
            .until(|events| events.contains(&"call hangs#1".to_owned()))
            .await;
        harness.send("signal:go", json!({"n": 1}));
        world
            .until(|events| events.contains(&"call end#1".to_owned()))
            .await;
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go(), signal);
    assert_eq!(ended.output(), json!({"go": {"n": 1}, "end": 1}));
}

#[tokio::test]
async fn rule_19_a_message_that_arrives_while_an_execution_suspends_is_not_missed() {
    let world = World::new();
    let harness = Harness::new(&world, &listening(json!({"name": "go"})), json!({}));
    // The control knows nothing of it yet: the suspension itself does.
    world.send("signal:go", json!({"n": 1}));
    harness.commands.send_modify(|control| control.inbox = 0);
    assert_eq!(harness.go().await.output()["end"], json!({"n": 1}));
}

#[tokio::test]
async fn rule_19_timers_ring_while_an_effect_runs() {
    let document = after_trigger(
        &[
            ("hangs", "call", json!({})),
            ("w", "wait", json!({"durationMs": 10})),
            ("end", "call", json!({"reply": {"end": 1}})),
        ],
        &["t>hangs", "t>w", "w>end"],
    );
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let world = World::new().script("hangs", [Act::Gate(gate.clone())]);
    let harness = Harness::new(&world, &document, json!({}));
    let let_go = async {
        world
            .until(|events| events.contains(&"call end#1".to_owned()))
            .await;
        gate.notify_one();
    };
    let (ended, ()) = tokio::join!(harness.go_on(), let_go);
    assert_eq!(ended.output(), json!({"end": 1}));
}

#[tokio::test]
async fn rule_19_the_deadline_ends_a_wait() {
    let mut document = listening(json!({"name": "go"}));
    document["settings"] = json!({"timeoutMs": 5_000});
    let world = World::new();
    let first = Harness::new(&world, &document, json!({})).go().await;
    assert_eq!(suspended_until(&first), Some(1_005_000));
    world.clock.advance(5_000);
    let second = Harness::new(&world, &document, json!({}))
        .after(&first)
        .go()
        .await;
    assert_eq!(second.failure(), "timeout at -");
}

#[tokio::test]
async fn a_drain_lets_a_waiting_execution_wait_elsewhere() {
    let world = World::new();
    let mut harness = Harness::new(&world, &waiting(), json!({}));
    harness.options.hold = Duration::from_secs(3_600);
    let drain = async {
        tokio::task::yield_now().await;
        harness
            .commands
            .send_modify(|control| control.command = gristmill_engine::Command::Drain);
    };
    let (ended, ()) = tokio::join!(harness.go(), drain);
    assert_eq!(suspended_until(&ended), Some(1_060_000));
}

#[tokio::test]
async fn rule_20_a_due_time_is_committed_before_the_worker_sleeps_on_an_effect() {
    let document = after_trigger(
        &[
            ("a", "call", json!({})),
            ("hangs", "call", json!({})),
            ("w", "wait", json!({"durationMs": 3_600_000})),
        ],
        &["t>a", "t>hangs", "a>w"],
    );
    let world = World::new().script("hangs", [Act::Hang]);
    let harness = Harness::new(&world, &document, json!({}));
    let asleep = world.until(|events| events.iter().any(|event| event == "commit waiting:w"));
    tokio::select! {
        ended = harness.go() => panic!("{ended:?}"),
        committed = tokio::time::timeout(Duration::from_secs(10), asleep) => committed.unwrap(),
    }
    // The worker is gone, and the next one comes a minute later.
    let mut next = Harness::new(&world, &document, json!({}));
    next.history = world.committed.lock().unwrap().clone();
    world.clock.advance(60_000);
    assert_eq!(suspended_until(&next.go().await), Some(4_600_000));
}
