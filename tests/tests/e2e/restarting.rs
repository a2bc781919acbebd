//! Restarting: processes that are replaced, in good order and otherwise.

use futures_util::future::join_all;
use gristmill_core::failpoint::VARIABLE;
use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, Load, Signal, System, chain, eventually};
use serde_json::json;

/// Cases 46 and 47: every process is replaced three times, with a migration before each round, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_refuses_nothing_and_repeats_nothing() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let mut api = system.api().await;
    let mut workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;
    let client = api.client.clone();
    let load = Load::start(&client, &workflow, 8);
    for _ in 0..3 {
        load.accepts(20).await;
        system.migrate().await;
        let next = system.api().await;
        client.moves_to(&next.client);
        // Whoever still talks to the old one is answered.
        load.accepts(8).await;
        api.process.signal(Signal::Term);
        assert!(api.process.ended().await.success());
        api = next;
        for worker in &mut workers {
            let next = system.worker().await;
            worker.signal(Signal::Term);
            assert!(worker.ended().await.success());
            *worker = next;
        }
    }
    load.accepts(20).await;
    assert_eq!(load.refused(), 0, "a submit was refused");
    let accepted = load.finish().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(rows.iter().all(|row| row.losses == 0), "{rows:#?}");
}

/// Case 11: thirty workers in a row die with all that they have prefetched, which is more often than the broker delivers
/// a message (20). What becomes a dead letter is counted as a loss, and published again.
#[tokio::test(flavor = "multi_thread")]
async fn thirty_workers_killed_in_a_row_lose_no_job_to_the_delivery_limit() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..5 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    for _ in 0..5 {
        let crew: Vec<_> = (0..6)
            .map(|_| system.starting_worker(&[(VARIABLE, "job.delivered=kill")]))
            .collect();
        join_all(
            crew.into_iter()
                .map(|mut worker| async move { worker.was_killed().await }),
        )
        .await;
    }
    eventually("a loss was counted for each dead letter", async || {
        let counted = api
            .metric("gristmill_dead_letters_total{outcome=\"retried\"}")
            .await;
        (counted >= 5.0).then_some(())
    })
    .await;
    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(rows.iter().all(|row| row.attempt == 1), "{rows:#?}");
}
