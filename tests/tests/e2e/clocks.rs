//! Clocks: processes whose wall clock is wrong.

use gristmill_core::journal::Entry;
use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use gristmill_tests::{Calls, SHORT_LEASE, SkewedClock, System, chain, changed, eventually};
use serde_json::{Value, json};

use crate::endpoint::holding_the_first;

/// Ten minutes, in seconds.
const TEN_MINUTES: i64 = 600;

/// In seconds since 1970, by the database's clock.
const NOW: &str = "SELECT extract(epoch FROM clock_timestamp())::bigint";

/// Case 42: a worker ten minutes ahead and an API ten minutes behind. Were either asked for the time, the lease would be
/// over at once or the retry ten minutes early or late.
#[tokio::test(flavor = "multi_thread")]
async fn leases_and_retries_go_by_the_databases_clock_whatever_the_processes_show() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let behind = SkewedClock::new(system.directory(), "behind", -TEN_MINUTES);
    let ahead = SkewedClock::new(system.directory(), "ahead", TEN_MINUTES);
    let api = system.api_with(&behind.settings()).await;
    let mut worker = system.worker_with(&ahead.settings()).await;
    let now = system.database.number(NOW, &[]).await.unwrap();
    let shown = worker.logged("working").await["timestamp"].clone();
    assert!(
        (seconds(&shown) - now - TEN_MINUTES).abs() < 60,
        "the worker shows {shown}"
    );

    let held = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let running = api.execute(&held, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;
    // Renewed for longer than one lease, in steps of a second by the database's clock.
    let first = system.database.execution(&running).await.wake_at.unwrap();
    eventually("the lease has been renewed for a whole lease", async || {
        let until = system.database.execution(&running).await.wake_at?;
        assert!(until - first < 60_000_000, "a lease of the wrong length");
        (until - first > 7_000_000).then_some(())
    })
    .await;
    gate.open();
    let rows = system
        .check(std::slice::from_ref(&running), &endpoint, Calls::Once)
        .await;
    assert_eq!((rows[0].attempt, rows[0].losses), (1, 0), "{rows:#?}");
    for entry in &rows[0].journal {
        let at = entry_time(entry) / 1_000;
        assert!(
            (at - now).abs() < 120,
            "an entry has another clock's time: {entry:?}"
        );
    }
}

/// Case 42, and case 43 for pauses that are kept in the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_suspends_ends_when_the_database_says_so() {
    let system = System::start().await;
    let endpoint = failing_first().await;
    let clock = SkewedClock::new(system.directory(), "clock", TEN_MINUTES);
    let api = system.api().await;
    let _worker = system.worker_with(&clock.settings()).await;
    let retry = json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 4_000, "jitter": false}});
    let workflow = changed(chain(&endpoint, &["call"]), "call", &retry);
    let workflow = api.create_workflow(&workflow).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    let due = eventually("the execution is suspended", async || {
        let row = system.database.execution(&id).await;
        (row.status == "WAITING").then(|| row.wake_at.unwrap())
    })
    .await;
    let now = system.database.number(NOW, &[]).await.unwrap();
    assert!(
        (0..=8).contains(&(due / 1_000_000 - now)),
        "due {} s from now",
        due / 1_000_000 - now
    );
    clock.set(-TEN_MINUTES);
    system.all_have_ended().await;
    let row = system.database.execution(&id).await;
    assert_eq!(row.status, "COMPLETED", "{row:#?}");
    assert_eq!(endpoint.calls().len(), 2);
}

/// Case 43: the pause is short, so the worker waits it out, and meanwhile its clock is set back by an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_during_a_pause_does_not_lengthen_it() {
    let system = System::start().await;
    let endpoint = failing_first().await;
    let clock = SkewedClock::new(system.directory(), "clock", 0);
    let api = system.api().await;
    let worker = system.worker_with(&clock.settings()).await;
    let retry = json!({"retry": {"maxAttempts": 2, "initialIntervalMs": 1_500, "jitter": false}});
    let workflow = changed(chain(&endpoint, &["call"]), "call", &retry);
    let workflow = api.create_workflow(&workflow).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;
    clock.set(-3_600);
    system.all_have_ended().await;
    let row = system.database.execution(&id).await;
    assert_eq!((row.status.as_str(), row.attempt), ("COMPLETED", 1), "{row:#?}");
    let times = worker.log_times();
    assert!(
        times
            .windows(2)
            .any(|pair| seconds(&pair[1]) - seconds(&pair[0]) < -3_000),
        "the clock was never set back: {times:?}"
    );
}

/// Answers the first call with 503 and every later one with 200.
async fn failing_first() -> RecordingEndpoint {
    let called = std::sync::atomic::AtomicBool::new(false);
    RecordingEndpoint::answering(move |_| {
        let again = called.swap(true, std::sync::atomic::Ordering::Relaxed);
        Reply::json(if again { 200 } else { 503 }, json!({}))
    })
    .await
}

/// Of a log line's timestamp.
fn seconds(timestamp: &Value) -> i64 {
    let text = timestamp.as_str().unwrap();
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

fn entry_time(entry: &Entry) -> i64 {
    serde_json::to_value(entry).unwrap()["at"].as_i64().unwrap()
}
