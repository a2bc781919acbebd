//! RabbitMQ killed, frozen, wiped and out of resources: a server of the test's own.

use gristmill_testkit::{Gate, Proxy, RecordingEndpoint};
use gristmill_tests::{Calls, Load, Signal, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

/// Case 15.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_under_load_stops_no_submit_and_loses_no_execution() {
    let system = System::with_own_rabbitmq().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    load.accepts(50).await;
    system.rabbitmq().kill();
    load.accepts(50).await;
    system.rabbitmq().start_again();
    load.accepts(50).await;
    let refused = load.refused();
    assert_eq!(refused, 0, "a submit was refused because of the broker");

    let accepted = load.finish().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 20: the jobs are gone, and it is written down that the broker has them.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_everything_gets_every_waiting_job_again() {
    let system = System::with_own_rabbitmq().await;
    // A connection of the test's own would be made again as well, and declare the queues; the jobs then wait for minutes.
    eventually("nobody is connected", async || {
        let nobody = "0 = length(rabbit_networking:connections()).";
        system.rabbitmq().ctl(&["eval", nobody]).then_some(())
    })
    .await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..50 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    eventually("every confirm is written down", async || {
        system
            .database
            .published()
            .await
            .filter(|published| *published == 50)
    })
    .await;
    system.rabbitmq().stop();
    system.rabbitmq().wipe();
    accepted.push(api.execute(&workflow, json!({"number": 50})).await);
    system.rabbitmq().start_again();

    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Cases 16 and 17: the application stopped and started within the server, and connections closed by an operator.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_broker_ends_are_made_again_under_load() {
    let system = System::with_own_rabbitmq().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    load.accepts(30).await;
    assert!(system.rabbitmq().ctl(&["stop_app"]));
    load.accepts(30).await;
    assert!(system.rabbitmq().ctl(&["start_app"]));
    for _ in 0..5 {
        load.accepts(30).await;
        assert!(system.rabbitmq().ctl(&["close_all_connections", "a test"]));
    }
    load.accepts(30).await;
    assert_eq!(load.refused(), 0, "a submit was refused because of the broker");
    let accepted = load.finish().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 18: it says nothing, and its connections stay open.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_broker_is_given_up_by_its_silence() {
    let mut system = System::with_own_rabbitmq().await;
    system.set("broker.heartbeat", "5s");
    let endpoint = RecordingEndpoint::start().await;
    let mut api = system.api().await;
    let mut worker = system.worker().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 2);
    load.accepts(20).await;
    system.rabbitmq().freeze();
    load.accepts(20).await;
    api.process
        .logged("lost the publishing connection to RabbitMQ")
        .await;
    worker
        .logged("the broker ended the consumers; consuming again")
        .await;
    assert!(!api.is_ready().await, "ready with a frozen broker");
    load.accepts(20).await;
    system.rabbitmq().thaw();
    load.accepts(20).await;
    assert_eq!(load.refused(), 0, "a submit was refused because of the broker");
    let accepted = load.finish().await;
    system.check(&accepted, &endpoint, Calls::Once).await;
}

/// What the API counts of jobs that the broker has refused.
const REFUSED: &str = "gristmill_publishes_total{outcome=\"refused\"}";

/// Cases 23 to 25: no memory, no disk, and a queue that is full. Submits go on, and what has been delivered is settled.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_no_messages_stops_no_submit_and_no_acknowledgement() {
    let system = System::with_own_rabbitmq().await;
    let broker = system.rabbitmq();
    let alarms: [[&[&str]; 2]; 2] = [
        [
            &["set_vm_memory_high_watermark", "0.00001"],
            &["set_vm_memory_high_watermark", "0.4"],
        ],
        [
            &["set_disk_free_limit", "999GB"],
            &["set_disk_free_limit", "50MB"],
        ],
    ];
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for (round, [raise, lift]) in (1..).zip(alarms) {
        for number in 0..10 {
            accepted.push(api.execute(&workflow, json!({"number": number})).await);
        }
        eventually("every job is in the queue", async || {
            system.depth().await.filter(|depth| *depth >= 10)
        })
        .await;
        let delivered = accepted.len() as i64;
        assert!(broker.ctl(raise));
        for number in 0..10 {
            accepted.push(api.execute(&workflow, json!({"number": number})).await);
        }
        eventually("the broker blocks the publisher", async || {
            (api.process.times_logged("RabbitMQ takes no messages for now") >= round).then_some(())
        })
        .await;
        let mut worker = system.worker().await;
        eventually("what the broker had is done", async || {
            let ended = system.database.count("COMPLETED").await?;
            (ended >= delivered).then_some(())
        })
        .await;
        // Its acknowledgements were taken: nothing comes back from it.
        worker.signal(Signal::Term);
        assert!(worker.ended().await.success());
        assert_eq!(system.depth().await, Some(0));
        assert!(broker.ctl(lift));
        let _worker = system.worker().await;
        system.all_have_ended().await;
    }

    let policy = r#"{"max-length":1,"overflow":"reject-publish"}"#;
    assert!(broker.ctl(&["set_policy", "--apply-to", "queues", "full", "jobs", policy]));
    for number in 0..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    let refused = eventually("the broker refuses jobs", async || {
        let refused = api.metric(REFUSED).await;
        (refused >= 5.0).then_some(refused)
    })
    .await;
    // Each is tried again when its three seconds are over, not in a loop.
    assert!(refused < 100.0, "{refused} jobs were refused");
    assert!(broker.ctl(&["clear_policy", "full"]));
    // By the API's relay, which was refused: there is no other yet.
    eventually("the broker takes what it refused", async || {
        system.depth().await.filter(|depth| *depth >= 10)
    })
    .await;
    let _worker = system.worker().await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}

/// Case 26: the broker takes back what is not acknowledged within two seconds, and looks every half second. A node may
/// run for longer, for its job is acknowledged with the claim; and what cannot be claimed comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_the_broker_gives_up_is_rebuilt_and_nothing_runs_twice() {
    let system = System::with_own_rabbitmq().await;
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    // For the channels that are opened from now on.
    assert!(system.rabbitmq().ctl(&[
        "eval",
        "application:set_env(rabbit, consumer_timeout, 2000), application:set_env(rabbit, channel_tick_interval, 500).",
    ]));
    let api = system.api().await;
    let held = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let proxy = Proxy::to(&system.database_url()).await;
    let through = proxy.url(&system.database_url());
    let settings = [
        ("database.url", through.as_str()),
        // Its claims stay unanswered for longer than the broker waits, and its lease is good all the while.
        ("worker.lease", "60s"),
    ];
    let mut worker = system.worker_with(&settings).await;
    let mut accepted = vec![api.execute(&held, json!({"number": 0})).await];
    endpoint.wait_for_calls(1).await;
    proxy.freeze();
    for number in 1..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    worker
        .logged("the broker ended the consumers; consuming again")
        .await;
    proxy.thaw();
    gate.open();
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
