//! Working: workers that are killed, frozen or cut off, and jobs that come twice.

use std::time::Duration;

use gristmill_core::Job;
use gristmill_core::failpoint::VARIABLE;
use gristmill_queue::{Broker, Outgoing};
use gristmill_testkit::{Direction, Gate, Proxy, RecordingEndpoint};
use gristmill_tests::{Calls, SHORT_LEASE, Signal, System, chain, eventually};
use serde_json::json;
use tokio::time::Instant;

use crate::endpoint::{holding_the_first, keys};

/// Case 7: the job was delivered, and not claimed.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_before_its_claim_leaves_the_job_to_another() {
    let mut system = System::start().await;
    // It is the broker that gives the job to another worker, not the relay.
    system.set("relay.publish_within", "10m");
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut doomed = system.worker_with(&[(VARIABLE, "job.delivered=kill")]).await;
    let accepted = [api.execute(&workflow, json!({"number": 1})).await];
    doomed.was_killed().await;
    assert_eq!(system.database.execution(&accepted[0]).await.status, "PENDING");

    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert_eq!((rows[0].attempt, rows[0].losses), (1, 0), "{rows:#?}");
}

/// Case 8, with the lease that is the default.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_middle_is_replaced() {
    let system = System::start().await;
    let endpoint = holding_the_first(&[("/second", &Gate::new())]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;
    let mut doomed = system.worker().await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    endpoint.wait_for_calls(2).await;
    let _other = system.worker().await;
    let killed = Instant::now();
    doomed.kill();

    let accepted = [id.clone()];
    system.all_have_ended().await;
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(rows[0].attempt, 2, "{rows:#?}");
    assert_eq!(keys(&endpoint, "/first"), [format!("{id}:first")]);
    assert_eq!(
        keys(&endpoint, "/second"),
        [format!("{id}:second"), format!("{id}:second")]
    );
}

/// Case 9: the execution is over, and the broker does not know that its job is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_acknowledgement_was_lost_runs_nothing_again() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let proxy = Proxy::to(&system.broker_url()).await;
    let mut doomed = system
        .worker_with(&[("broker.url", &proxy.url(&system.broker_url()))])
        .await;
    // When the first one is done, the worker consumes; from then on it hears, and is not heard.
    let mut accepted = vec![api.execute(&workflow, json!({"number": 1})).await];
    system.all_have_ended().await;
    proxy.withhold(Direction::Requests);
    for number in 2..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    system.all_have_ended().await;
    let before = system.database.executions().await;
    doomed.kill();
    proxy.cut();

    eventually("the jobs come again", async || {
        system.depth().await.filter(|depth| *depth >= 8)
    })
    .await;

    let mut worker = system.worker().await;
    system.queues_are_empty().await;
    // What it had not acknowledged would be in the queue again.
    worker.signal(Signal::Term);
    worker.ended().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert_eq!(rows, before, "a job that came again changed something");
}

/// Case 10.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_for_longer_than_its_lease_changes_nothing_when_it_thaws() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/first", &gate)]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["first", "second"])).await;
    let mut frozen = system.worker().await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;
    frozen.signal(Signal::Stop);
    let _other = system.worker().await;

    let accepted = [id.clone()];
    let before = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(before[0].attempt, 2, "{before:#?}");
    // Its call is answered at last, and it wakes up to that.
    gate.open();
    frozen.signal(Signal::Cont);
    frozen
        .logged("stopped: the execution is no longer held here")
        .await;

    let after = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(after, before, "the thawed worker changed something");
    assert_eq!(keys(&endpoint, "/first").len(), 2);
    assert_eq!(keys(&endpoint, "/second"), [format!("{id}:second")]);
}

/// Case 12.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_copies_of_one_job_complete_one_execution_once() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let id = api.execute(&workflow, json!({"number": 1})).await;
    let copy = Outgoing {
        lane: "default".into(),
        job: Job {
            execution_id: id.parse().unwrap(),
            organization_id: system.organization().clone(),
            attempt: 0,
        },
    };
    let broker = system.connected_broker().await;
    broker.publish(vec![copy; 100]).await.unwrap();

    let _workers = [system.worker().await, system.worker().await];
    let rows = system.check(&[id], &endpoint, Calls::Once).await;
    assert_eq!((rows[0].attempt, rows[0].losses), (1, 0), "{rows:#?}");
}
