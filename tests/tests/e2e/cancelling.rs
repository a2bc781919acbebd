//! Cancelling: at every edge of an execution's life: before, between and behind the steps of its worker, while it waits,
//! and in a race with its own end. It ends once, and nothing ends it a second time.

use futures_util::future::join_all;
use gristmill_core::failpoint::VARIABLE;
use gristmill_core::journal::Entry;
use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Row, Signal, System, chain, eventually};
use serde_json::{Value, json};

use crate::endpoint::keys;

/// Where the worker is stopped when the cancel comes; how often the execution was claimed by then, how often its one effect
/// may have been called in the end, and whether that call may be in the journal as completed.
const BOUNDARIES: [(&str, i32, std::ops::RangeInclusive<usize>, bool); 7] = [
    ("job.delivered=stop@1", 0, 0..=0, false),
    ("job.claimed=stop@1", 1, 0..=0, false),
    ("job.acknowledged=stop@1", 1, 0..=0, false),
    // The beginning of the effect is in the journal: it may be on its way before the worker knows.
    ("append.committed=stop@1", 1, 0..=1, false),
    ("effect.ended=stop@1", 1, 1..=1, false),
    ("append.committed=stop@2", 1, 1..=1, true),
    ("settle.begun=stop@1", 1, 1..=1, true),
];

/// Case 52: whatever the worker was about to do, what was cancelled stays so.
#[tokio::test(flavor = "multi_thread")]
async fn rule_27_a_cancel_at_any_boundary_of_a_worker_is_the_end() {
    let mut system = System::start().await;
    system.set("worker.concurrency", "1");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    for (failpoint, attempt, calls, completed) in BOUNDARIES {
        let id = api.execute(&workflow, json!({"number": 1})).await;
        let worker = system.worker_with(&[(VARIABLE, failpoint)]).await;
        worker.was_stopped().await;
        let answer = api.order(&id, "cancel").await;
        assert_eq!(
            (answer.status, &answer.body["execution"]["status"]),
            (200, &json!("CANCELLED")),
            "{failpoint}"
        );
        let cancelled = system.database.execution(&id).await;
        assert_eq!(
            (&*cancelled.status, cancelled.attempt),
            ("CANCELLED", attempt),
            "{failpoint}"
        );

        // The only worker goes on, and has time for the next one once it has let go of this.
        worker.signal(Signal::Cont);
        let next = api.execute(&workflow, json!({"number": 2})).await;
        has_completed(&system, &next).await;
        let after = system.database.execution(&id).await;
        assert_eq!(after, cancelled, "{failpoint} changed what had been cancelled");
        let key = format!("{id}:call");
        let called = keys(&endpoint, "/call")
            .iter()
            .filter(|called| **called == key)
            .count();
        assert!(calls.contains(&called), "{failpoint}: called {called} times");
        assert_eq!(
            has_journalled_the_call(&after),
            completed,
            "{failpoint}: {after:#?}"
        );
    }
    system.queues_are_empty().await;
}

/// Case 52: behind the settlement the cancel is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_behind_the_end_is_refused() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    let worker = system.worker_with(&[(VARIABLE, "settle.committed=stop@1")]).await;
    worker.was_stopped().await;
    let completed = system.database.execution(&id).await;
    assert_eq!(completed.status, "COMPLETED");
    assert_eq!(api.order(&id, "cancel").await.status, 409);
    worker.signal(Signal::Cont);
    let next = api.execute(&workflow, json!({"number": 2})).await;
    has_completed(&system, &next).await;
    assert_eq!(system.database.execution(&id).await, completed);
}

/// Case 52: neither its time nor a message starts what was cancelled while it waited.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_while_it_waits_never_goes_on() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let calling = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let listening = api
        .create_workflow(&behind(&endpoint, "signal", json!({"name": "go"})))
        .await;
    let pausing = api
        .create_workflow(&behind(&endpoint, "wait", json!({"durationMs": 4_000})))
        .await;
    let cancelled = [
        api.execute(&listening, json!({"number": 1})).await,
        api.execute(&pausing, json!({"number": 1})).await,
        api.execute_with(&calling, &json!({"input": {"number": 1}, "delayMs": 4_000}))
            .await,
    ];
    // The same, and not cancelled: when this one has gone on, the others' time has come and gone.
    let later = api.execute(&pausing, json!({"number": 2})).await;
    for id in &cancelled {
        eventually("it waits", async || {
            (system.database.execution(id).await.status == "WAITING").then_some(())
        })
        .await;
        assert_eq!(api.order(id, "cancel").await.status, 200);
    }
    assert_eq!(api.signal(&cancelled[0], "go", &json!({})).await.status, 409);
    let after = api
        .execute_with(&calling, &json!({"input": {"number": 3}, "delayMs": 4_000}))
        .await;
    has_completed(&system, &later).await;
    has_completed(&system, &after).await;
    for id in &cancelled {
        let row = system.database.execution(id).await;
        assert_eq!((&*row.status, row.wake_at), ("CANCELLED", None), "{row:#?}");
    }
    let called = keys(&endpoint, "/call");
    assert_eq!(called, [format!("{later}:call"), format!("{after}:call")]);
    system.queues_are_empty().await;
}

/// Case 52: whoever is first is believed, and the other one hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_races_with_the_end_and_the_end_agree_on_one_of_them() {
    const EXECUTIONS: usize = 60;
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let races = (0..EXECUTIONS).map(|number| {
        let (api, workflow, endpoint) = (&api, &workflow, &endpoint);
        async move {
            let id = api.execute(workflow, json!({"number": number})).await;
            // Some at once; the others when their only effect has been called, right before they end.
            if number % 3 > 0 {
                let key = format!("{id}:call");
                eventually("it is called", async || {
                    keys(endpoint, "/call").contains(&key).then_some(())
                })
                .await;
            }
            let status = api.order(&id, "cancel").await.status;
            (id, status)
        }
    });
    let answers = join_all(races).await;
    system.all_have_ended().await;
    let mut before = system.database.executions().await;
    for (id, status) in &answers {
        let row = before.iter().find(|row| row.id == *id).unwrap();
        let expected = match status {
            200 => "CANCELLED",
            409 => "COMPLETED",
            other => panic!("{id}: {other}"),
        };
        assert_eq!(row.status, expected, "{row:#?}");
        assert_eq!(row.output.is_some(), expected == "COMPLETED", "{row:#?}");
    }
    // Both workers have time for others again, so neither has anything left to say about these.
    let mut more = Vec::new();
    for number in 0..20 {
        more.push(api.execute(&workflow, json!({"number": number})).await);
    }
    system.all_have_ended().await;
    let mut after = system.database.executions().await;
    after.retain(|row| !more.contains(&row.id));
    before.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(after, before);
    system.queues_are_empty().await;
}

/// The chain with one call, behind a node of this kind.
fn behind(endpoint: &RecordingEndpoint, kind: &str, data: Value) -> Value {
    let mut definition = chain(endpoint, &["call"]);
    let nodes = definition["nodes"].as_array_mut().unwrap();
    nodes.push(json!({"id": "pause", "type": kind, "data": data}));
    let edges = definition["edges"].as_array_mut().unwrap();
    edges[0]["target"] = json!("pause");
    edges.push(json!({"id": "on", "source": "pause", "target": "call"}));
    definition
}

async fn has_completed(system: &System, id: &str) {
    eventually("the next one completes", async || {
        (system.database.execution(id).await.status == "COMPLETED").then_some(())
    })
    .await;
}

fn has_journalled_the_call(row: &Row) -> bool {
    let mut entries = row.journal.iter();
    entries.any(|entry| matches!(entry, Entry::Completed { path, .. } if path == "call"))
}
