//! Operations: what operators do with executions while real processes run them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gristmill_testkit::{Gate, RecordingEndpoint, Reply};
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

use crate::endpoint::{holding_the_first, keys};

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_an_execution_at_once_and_frees_its_worker() {
    let mut system = System::start().await;
    system.set("worker.concurrency", "1");
    let endpoint = holding_the_first(&[("/held", &Gate::new())]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["held", "after"])).await;
    let mut worker = system.worker().await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;

    let answer = api.order(&id, "cancel").await;
    assert_eq!(
        (answer.status, &answer.body["execution"]["status"]),
        (200, &json!("CANCELLED"))
    );
    worker.logged("no longer ours; stopped").await;

    // The only slot is free again, and what was cancelled stays so.
    let next = api.execute(&workflow, json!({"number": 2})).await;
    system.all_have_ended().await;
    assert_eq!(system.database.execution(&next).await.status, "COMPLETED");
    let cancelled = system.database.execution(&id).await;
    assert_eq!((&*cancelled.status, cancelled.attempt), ("CANCELLED", 1));
    assert_eq!(keys(&endpoint, "/after"), [format!("{next}:after")]);
    assert_eq!(api.order(&id, "cancel").await.status, 200);
    assert_eq!(api.order(&next, "cancel").await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_retry_repeats_what_failed_and_nothing_else() {
    let system = System::start().await;
    let fixed = Arc::new(AtomicBool::new(false));
    let works = fixed.clone();
    let endpoint = RecordingEndpoint::answering(move |call| {
        if call.path == "/second" && !works.load(Ordering::Relaxed) {
            Reply::json(400, json!({"why": "not yet"}))
        } else {
            Reply::json(200, json!({}))
        }
    })
    .await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    system.all_have_ended().await;
    assert_eq!(system.database.execution(&id).await.status, "FAILED");
    fixed.store(true, Ordering::Relaxed);
    assert_eq!(api.order(&id, "retry").await.status, 202);
    system.all_have_ended().await;
    let row = system.database.execution(&id).await;
    assert_eq!((&*row.status, row.attempt), ("COMPLETED", 2), "{row:#?}");
    assert_eq!(keys(&endpoint, "/first"), [format!("{id}:first")]);
    assert_eq!(
        keys(&endpoint, "/second"),
        [format!("{id}:second"), format!("{id}:second:r1")]
    );
    assert_eq!(api.order(&id, "retry").await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_runs_beside_what_it_replays_and_an_ended_one_can_be_deleted() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let original = api.execute(&workflow, json!({"number": 1})).await;
    system.all_have_ended().await;
    let replay = api.order(&original, "replay").await.execution_id();
    let rows = system
        .check(&[original.clone(), replay.clone()], &endpoint, Calls::Once)
        .await;
    assert_eq!(rows[0].output, rows[1].output);
    assert_eq!(api.execution(&replay).await["replayOf"], *original);

    assert_eq!(api.delete(&original).await.status, 204);
    assert_eq!(api.delete(&original).await.status, 404);
    let left: Vec<_> = system.database.executions().await;
    assert_eq!(left.iter().map(|row| &row.id).collect::<Vec<_>>(), [&replay]);
}

/// Nothing but the relay's clock looks at what waits for its start, and all of it leaves together.
#[tokio::test(flavor = "multi_thread")]
async fn executions_submitted_for_later_start_together_when_their_time_comes() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let at = chrono::Utc::now() + Duration::from_secs(6);
    let mut accepted = Vec::new();
    for number in 0..100 {
        let body = json!({"input": {"number": number}, "runAt": at.to_rfc3339()});
        accepted.push(api.execute_with(&workflow, &body).await);
    }
    let early = api.execute(&workflow, json!({"number": 100})).await;
    let signalled = api.order(&accepted[0], "signals/hurry").await;
    assert_eq!(signalled.status, 202, "{signalled:?}");
    eventually("what was not put off is over", async || {
        let row = system.database.execution(&early).await;
        (row.status == "COMPLETED").then_some(())
    })
    .await;
    accepted.push(early);
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(rows.iter().all(|row| row.attempt == 1), "{rows:#?}");
    for id in &accepted[..100] {
        let shown = api.execution(id).await;
        let started = shown["startedAt"].as_str().unwrap();
        let started = chrono::DateTime::parse_from_rfc3339(started).unwrap();
        assert!(started >= at - Duration::from_millis(1), "{shown}");
    }
}

/// A child, a signal that comes early and a handler of failures: each is another process's doing, and wakes the parent.
#[tokio::test(flavor = "multi_thread")]
async fn children_signals_and_handlers_go_through_the_database() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let child = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let handler = api
        .create_workflow(&json!({
            "name": "handler",
            "nodes": [
                {"id": "start", "type": "trigger"},
                {"id": "note", "type": "transform", "data": {"set": {"code": "{{ failed.error.code }}"}}},
            ],
            "edges": [{"id": "e", "source": "start", "target": "note"}],
        }))
        .await;
    let parent = api
        .create_workflow(&json!({
            "name": "parent",
            "nodes": [
                {"id": "start", "type": "trigger"},
                {"id": "sub", "type": "subWorkflow",
                 "data": {"workflowId": child, "input": {"number": "{{ number }}"}, "output": "sub"}},
                {"id": "approval", "type": "signal", "data": {"name": "approved"}},
                {"id": "end", "type": "transform", "data": {"set": {"by": "{{ approved.by + '' }}"}}},
            ],
            "edges": [
                {"id": "1", "source": "start", "target": "sub"},
                {"id": "2", "source": "sub", "target": "approval"},
                {"id": "3", "source": "approval", "target": "end"},
            ],
            "settings": {"onFailure": handler},
        }))
        .await;
    let good = api.execute(&parent, json!({"number": 21})).await;
    let bad = api.execute(&parent, json!({"number": 22})).await;
    let cancelled = api.execute(&parent, json!({"number": 23})).await;
    assert_eq!(
        api.signal(&good, "approved", &json!({"by": "Ada"})).await.status,
        202
    );
    // Without the one who approved, the last node fails.
    assert_eq!(
        api.signal(&bad, "approved", &json!({"by": null})).await.status,
        202
    );
    eventually("the third waits for its signal", async || {
        let shown = api.execution(&cancelled).await;
        let child_ended = shown["children"][0]["status"] == "COMPLETED";
        (shown["status"] == "WAITING" && child_ended).then_some(())
    })
    .await;
    assert_eq!(api.order(&cancelled, "cancel").await.status, 200);
    system.all_have_ended().await;

    let shown = api.execution(&good).await;
    assert_eq!(
        (
            &shown["status"],
            &shown["output"]["by"],
            &shown["output"]["sub"]["doubled"]
        ),
        (&json!("COMPLETED"), &json!("Ada"), &json!(42)),
        "{shown}"
    );
    assert_eq!(shown["children"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(api.execution(&bad).await["status"], "FAILED");
    let handled = eventually("the failure is handled", async || {
        for row in system.database.executions().await {
            let shown = api.execution(&row.id).await;
            if shown["onFailureOf"] == *bad && row.status == "COMPLETED" {
                return Some(shown);
            }
        }
        None
    })
    .await;
    assert_eq!(handled["output"]["code"], "template", "{handled}");
    // Three parents, a child each, one handler.
    assert_eq!(system.database.executions().await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_kept_for_long_enough_is_pruned() {
    let mut system = System::start().await;
    system.set_all(&[("retention.completed", "1s"), ("retention.interval", "200ms")]);
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let kept = api
        .execute_with(&workflow, &json!({"input": {"number": 1}, "delayMs": 3_600_000}))
        .await;
    for number in 0..20 {
        api.execute(&workflow, json!({"number": number})).await;
    }
    endpoint.wait_for_calls(20).await;
    eventually("only what has not ended is left", async || {
        let rows = system.database.executions().await;
        (rows.len() == 1 && rows[0].id == kept).then_some(())
    })
    .await;
}
