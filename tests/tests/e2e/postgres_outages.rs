//! PostgreSQL killed and frozen: a server of the test's own.

use std::time::Duration;

use gristmill_testkit::{Gate, RecordingEndpoint};
use gristmill_tests::{Calls, Load, SHORT_LEASE, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

/// Case 30.
#[tokio::test(flavor = "multi_thread")]
async fn an_immediate_restart_under_load_loses_nothing_that_was_accepted() {
    let system = System::with_own_postgres().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    for _ in 0..2 {
        load.accepts(50).await;
        system.postgres().restart_immediately();
    }
    load.accepts(50).await;
    assert!(load.answers(503) > 0, "no submit met the outage");
    assert_eq!(
        load.answers(0) + load.answers(500),
        0,
        "an outage is a 503, and always answered"
    );

    let accepted = load.finish().await;
    system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
}

/// How long the database is frozen: two leases.
const FROZEN_FOR: Duration = Duration::from_secs(30);

/// Case 33, with the lease that is the default. While nobody can renew, nobody may judge either.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_frozen_for_two_leases_fails_nothing_and_completes_nothing_twice() {
    let system = System::with_own_postgres().await;
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let held = api.create_workflow(&chain(&endpoint, &["held", "after"])).await;
    let mut accepted = vec![api.execute(&held, json!({"number": 0})).await];
    endpoint.wait_for_calls(1).await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    for number in 1..20 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }

    system.postgres().freeze();
    let submit = async || {
        api.try_execute(&workflow, Some("frozen"), json!({"number": 20}))
            .await
            .unwrap()
    };
    let (refused, ()) = tokio::join!(submit(), tokio::time::sleep(FROZEN_FOR));
    assert_eq!(refused.status, 503, "{refused:?}");
    system.postgres().thaw();
    gate.open();
    // The refused submit may have been recorded after the thaw; its repeat is the same execution either way.
    eventually("the API accepts again", async || {
        let answer = submit().await;
        (answer.status == 202).then(|| accepted.push(answer.execution_id()))
    })
    .await;

    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    // The worker could not renew, so it let go of the one that it held in time, and another took it up.
    let attempts: Vec<_> = rows.iter().map(|row| row.attempt).collect();
    assert_eq!(attempts[0], 2, "{attempts:?}");
    assert!(
        attempts.iter().all(|attempt| *attempt <= 2),
        "one freeze cost more than one attempt: {attempts:?}"
    );
}

/// Case 31: one of its sessions is killed, and the server ends all others and recovers.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_restarts_the_server_and_loses_nothing_that_was_accepted() {
    let system = System::with_own_postgres().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let _workers = [system.worker().await, system.worker().await];
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let load = Load::start(&api.client, &workflow, 4);
    for _ in 0..2 {
        load.accepts(40).await;
        eventually("there is a session to kill", async || {
            system.postgres().kill_one_session()
        })
        .await;
    }
    load.accepts(40).await;
    assert_eq!(load.answers(0) + load.answers(500), 0, "an outage is a 503");
    let accepted = load.finish().await;
    system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
}

/// Case 35: others have taken every connection that the server has. Who holds an execution keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_connections_is_a_503_and_costs_no_lease() {
    let mut system = System::with_own_postgres().await;
    system.set_all(&SHORT_LEASE);
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let session = system.database.session().await.unwrap();
    session
        .batch_execute("ALTER SYSTEM SET max_connections = 40")
        .await
        .unwrap();
    drop(session);
    system.postgres().restart_immediately();
    let api = system.api_with(&[("database.connect_timeout", "1s")]).await;
    let _worker = system.worker().await;
    let held = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let id = api.execute(&held, json!({"number": 1})).await;
    endpoint.wait_for_calls(1).await;
    let first = system.database.execution(&id).await.wake_at.unwrap();

    // Those that the API has are ended, and somebody is faster than it is to take their places.
    let operator = system.database.session().await.unwrap();
    let mut others = Vec::new();
    let refused = eventually("the API finds no connection", async || {
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name LIKE 'gristmill-api%'";
        operator.query_one(ended, &[]).await.unwrap();
        while let Some(session) = system.database.session().await {
            others.push(session);
        }
        let answer = api.look_at(&format!("/executions/{id}")).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(refused.retry_after.as_deref(), Some("2"), "{refused:?}");
    let lease = "SELECT (extract(epoch FROM wake_at) * 1000000)::bigint FROM executions";
    eventually("the lease was renewed for longer than it lasts", async || {
        let until: i64 = operator.query_one(lease, &[]).await.unwrap().get(0);
        (until - first > 8_000_000).then_some(())
    })
    .await;

    drop(others);
    gate.open();
    let workflow = eventually("the API finds a connection again", async || {
        let answer = api.look_at(&format!("/executions/{id}")).await;
        (answer.status == 200).then_some(held.clone())
    })
    .await;
    let accepted = [id, api.execute(&workflow, json!({"number": 2})).await];
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(
        rows.iter().all(|row| (row.attempt, row.losses) == (1, 0)),
        "{rows:#?}"
    );
}
