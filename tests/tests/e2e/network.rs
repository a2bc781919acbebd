//! Network: connections that fail, between the processes and their servers.

use std::time::Duration;

use gristmill_testkit::{Direction, Gate, Proxy, RecordingEndpoint};
use gristmill_tests::{Api, Calls, Load, Process, SHORT_LEASE, Signal, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

/// The shortest that is allowed: what is silent for twice as long is given up.
const HEARTBEAT: (&str, &str) = ("broker.heartbeat", "5s");

/// An API and a worker that reach their servers through a proxy each.
struct Scene {
    api: Api,
    worker: Process,
    database: Proxy,
    broker: Proxy,
    system: System,
}

impl Scene {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let mut system = System::start().await;
        system.set_all(settings);
        let database = Proxy::to(&system.database_url()).await;
        let broker = Proxy::to(&system.broker_url()).await;
        let (to_database, to_broker) = (
            database.url(&system.database_url()),
            broker.url(&system.broker_url()),
        );
        let through = [
            ("database.url", to_database.as_str()),
            ("broker.url", to_broker.as_str()),
        ];
        let api = system.api_with(&through).await;
        let worker = system.worker_with(&through).await;
        Self {
            api,
            worker,
            database,
            broker,
            system,
        }
    }
}

/// Case 27.
#[tokio::test(flavor = "multi_thread")]
async fn connections_reset_under_load_cost_no_execution() {
    let scene = Scene::new(&[]).await;
    let endpoint = RecordingEndpoint::start().await;
    let workflow = scene.api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&scene.api.client, &workflow, 4);
    for _ in 0..5 {
        load.accepts(20).await;
        scene.broker.reset();
        load.accepts(20).await;
        scene.database.reset();
    }
    load.accepts(20).await;
    assert_eq!(load.answers(0) + load.answers(500), 0, "an outage is a 503");
    let accepted = load.finish().await;
    scene.system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
}

/// Case 27: nothing arrives and nothing ends, so that only silence tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_behind_a_black_hole_is_given_up_and_found_again() {
    let mut scene = Scene::new(&[HEARTBEAT]).await;
    let endpoint = RecordingEndpoint::start().await;
    let workflow = scene.api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&scene.api.client, &workflow, 2);
    load.accepts(10).await;
    scene.broker.freeze();
    scene
        .api
        .process
        .logged("lost the publishing connection to RabbitMQ")
        .await;
    scene
        .worker
        .logged("the broker ended the consumers; consuming again")
        .await;
    load.accepts(10).await;
    assert_eq!(load.refused(), 0, "a submit was refused because of the broker");
    scene.broker.cut();
    scene.broker.heal();
    load.accepts(10).await;
    let accepted = load.finish().await;
    let rows = scene.system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 27: the worker that is cut off from the database lets go in time, and another one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_cut_off_from_the_database_lets_go_before_another_takes_over() {
    let mut scene = Scene::new(&SHORT_LEASE).await;
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let other_api = scene.system.api().await;
    let workflow = other_api
        .create_workflow(&chain(&endpoint, &["held", "after"]))
        .await;
    let id = other_api.execute(&workflow, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;
    scene.database.freeze();
    let _other = scene.system.worker().await;
    scene
        .worker
        .logged("the lease could not be renewed in time; stopped")
        .await;
    let row = scene.system.database.execution(&id).await;
    assert_eq!(row.attempt, 1, "another one has it already: {row:#?}");
    let before = scene.system.check(&[id], &endpoint, Calls::AtLeastOnce).await;
    assert_eq!(before[0].attempt, 2, "{before:#?}");

    // Its call is answered at last, and what it sends arrives.
    gate.open();
    scene.database.heal();
    scene
        .worker
        .logged("stopped: the execution is no longer held here")
        .await;
    assert_eq!(scene.system.database.executions().await, before);
}

/// Case 32: connections to the database end at random, five in a second.
#[tokio::test(flavor = "multi_thread")]
async fn database_sessions_ended_at_random_cost_no_execution() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    let mut ended = 0;
    while ended < 40 {
        load.accepts(5).await;
        let end_one = "
            SELECT count(pg_terminate_backend(pid)) FROM (
                SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'gristmill-%'
                ORDER BY random() LIMIT 2
            ) AS victim";
        ended += system.database.number(end_one, &[]).await.unwrap();
    }
    assert_eq!(load.answers(0) + load.answers(500), 0, "an outage is a 503");
    let accepted = load.finish().await;
    system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
}

/// Case 28: the worker's acknowledgements vanish, and so does its heartbeat, until the broker gives the worker up.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_whose_acknowledgements_vanish_come_again_and_change_nothing() {
    let mut scene = Scene::new(&[HEARTBEAT]).await;
    let endpoint = RecordingEndpoint::start().await;
    // Through no proxy: it publishes all the while.
    let api = scene.system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = vec![api.execute(&workflow, json!({"number": 0})).await];
    scene.system.all_have_ended().await;
    scene.broker.discard(Direction::Requests);
    for number in 1..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    scene.system.all_have_ended().await;
    let before = scene.system.database.executions().await;
    scene.broker.heal();
    scene
        .worker
        .logged("the broker ended the consumers; consuming again")
        .await;

    // What came again and was acknowledged is gone for good: nothing comes back from a worker that has drained.
    scene.system.queues_are_empty().await;
    scene.worker.signal(Signal::Term);
    assert!(scene.worker.ended().await.success());
    let rows = scene.system.check(&accepted, &endpoint, Calls::Once).await;
    assert_eq!(rows, before, "a job that came again changed something");
}

/// Case 29: half a second there and back, and more at random. A new connection then takes three seconds: the lease
/// must not be the shortest, nor the patience; but what renews must not need a connection first.
#[tokio::test(flavor = "multi_thread")]
async fn slow_links_cost_no_lease() {
    let scene = Scene::new(&[
        ("worker.lease", "10s"),
        ("worker.renew", "1s"),
        ("database.connect_timeout", "10s"),
        ("database.acquire_timeout", "15s"),
    ])
    .await;
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let held = scene.api.create_workflow(&chain(&endpoint, &["held"])).await;
    let workflow = scene.api.create_workflow(&chain(&endpoint, &["call"])).await;
    for proxy in [&scene.database, &scene.broker] {
        proxy.delay(Duration::from_millis(250), Duration::from_millis(100));
    }
    let mut accepted = vec![scene.api.execute(&held, json!({"number": 0})).await];
    endpoint.wait_for_calls(1).await;
    let database = &scene.system.database;
    let first = database.execution(&accepted[0]).await.wake_at.unwrap();
    for number in 1..10 {
        accepted.push(scene.api.execute(&workflow, json!({"number": number})).await);
    }
    eventually("the lease was renewed for longer than it lasts", async || {
        let until = database.execution(&accepted[0]).await.wake_at?;
        (until - first > 12_000_000).then_some(())
    })
    .await;
    gate.open();
    let rows = scene.system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
