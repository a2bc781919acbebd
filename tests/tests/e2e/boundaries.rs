//! Boundaries: processes killed at every boundary of the protocol, by failpoints.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use gristmill_core::failpoint::VARIABLE;
use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, Client, Signal, System, chain, eventually};
use serde_json::json;

use crate::endpoint::keys;

/// Where a worker dies, how often the execution that it had is then claimed in all, and how often its one effect is
/// called. Only an effect that had ended when nobody had written it down is called again.
const WORKER_BOUNDARIES: [(&str, i32, usize); 7] = [
    ("job.claimed=kill", 2, 1),
    ("job.acknowledged=kill", 2, 1),
    // The beginning of the effect is in the journal, and it did not begin.
    ("append.committed=kill@1", 2, 1),
    ("effect.ended=kill", 2, 2),
    // Its end is in the journal.
    ("append.committed=kill@2", 2, 1),
    ("settle.begun=kill", 2, 1),
    ("settle.committed=kill", 1, 1),
];

/// Cases 8 and 9, at every boundary between a claim and the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_boundary_costs_no_execution_and_repeats_no_completed_effect() {
    let mut system = System::start().await;
    system.set("worker.lease", "15s");
    system.set("worker.concurrency", "1");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    // Each takes one execution, and dies of it.
    let doomed = WORKER_BOUNDARIES.map(|(failpoint, ..)| {
        let system = &system;
        async move {
            let settings = [(VARIABLE, failpoint), ("worker.name", failpoint)];
            system.worker_with(&settings).await
        }
    });
    let mut doomed = join_all(doomed).await;
    let mut accepted = Vec::new();
    for number in 0..doomed.len() {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    for worker in &mut doomed {
        worker.was_killed().await;
    }
    // Until another one claims it, a row says who had it.
    let session = system.database.session().await.unwrap();
    let rows = session.query("SELECT claimed_by, id FROM executions", &[]).await;
    let had: BTreeMap<String, String> = rows
        .unwrap()
        .iter()
        .map(|row| (row.get("claimed_by"), row.get("id")))
        .collect();
    assert_eq!(had.len(), doomed.len(), "{had:#?}");

    let _worker = system.worker_with(&[("worker.concurrency", "8")]).await;
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    let attempts: BTreeMap<_, _> = rows.iter().map(|row| (row.id.as_str(), row.attempt)).collect();
    let called = keys(&endpoint, "/call");
    for (failpoint, attempt, calls) in WORKER_BOUNDARIES {
        let id = &had[failpoint];
        assert_eq!(attempts[id.as_str()], attempt, "{failpoint}: {rows:#?}");
        let key = format!("{id}:call");
        assert_eq!(
            called.iter().filter(|called| **called == key).count(),
            calls,
            "{failpoint}"
        );
    }
}

/// Cases 1 to 4: killed before and after the commit, and before and after the broker's confirm. Whoever got no answer
/// repeats the submit under its key.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_killed_at_any_boundary_loses_nothing_and_its_clients_may_repeat() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let survivor = system.api().await;
    let _worker = system.worker().await;
    let workflow = survivor.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    let boundaries = [
        ("submit.begun=kill", 0),
        ("submit.committed=kill", 1),
        ("publish.begun=kill", 1),
        ("publish.confirmed=kill", 1),
    ];
    for (failpoint, recorded) in boundaries {
        let mut doomed = system.api_with(&[(VARIABLE, failpoint)]).await;
        let before = system.database.executions().await.len();
        let submit = |client: Client| {
            let workflow = workflow.clone();
            async move {
                client
                    .try_execute(&workflow, Some(failpoint), json!({"number": 1}))
                    .await
            }
        };
        let first = submit(doomed.client.clone()).await.ok();
        doomed.process.was_killed().await;
        let after = system.database.executions().await.len();
        assert_eq!(after - before, recorded, "{failpoint}");
        let repeated = submit(survivor.client.clone()).await.unwrap();
        assert_eq!(repeated.status, 202, "{failpoint}: {repeated:?}");
        if let Some(first) = first {
            assert_eq!(first.execution_id(), repeated.execution_id(), "{failpoint}");
        }
        accepted.push(repeated.execution_id());
        // Or the next one's relay would find it due, and die of it before it is asked for anything.
        system.all_have_ended().await;
    }

    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 6: the rows that a relay had taken are due again, another one takes them, and then the first one publishes.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_frozen_for_longer_than_its_rows_were_put_off_doubles_jobs_and_no_runs() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let frozen = system.api_with(&[(VARIABLE, "relay.claimed=stop@1")]).await;
    // Nothing is published but by a relay: who accepts has no broker, and so its own relay rests.
    let nowhere = [("broker.url", "amqp://guest:guest@127.0.0.1:1/%2f")];
    let brokerless = system.listening_api(&nowhere).await;
    let workflow = brokerless.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..5 {
        accepted.push(brokerless.execute(&workflow, json!({"number": number})).await);
    }
    frozen.process.was_stopped().await;
    assert_eq!(system.depth().await, Some(0), "it has published something");
    // Another relay, the worker's, finds the same rows due again.
    let _worker = system.worker().await;
    let before = system.check(&accepted, &endpoint, Calls::Once).await;

    frozen.process.signal(Signal::Cont);
    eventually("the late jobs are published", async || {
        let confirmed = frozen
            .metric("gristmill_publishes_total{outcome=\"confirmed\"}")
            .await;
        (confirmed > 0.0).then_some(())
    })
    .await;
    let after = system.check(&accepted, &endpoint, Calls::Once).await;
    assert_eq!(after, before, "a late job changed something");
}
