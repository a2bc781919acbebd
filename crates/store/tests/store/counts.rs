use futures_util::future::join_all;
use gristmill_core::{Totals, WorkflowId};
use gristmill_store::{Actor, Settle, Stats, StatsRange, System, Wake};
use gristmill_testkit::TestDatabase;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::raw;
use crate::world::{World, completion, failing};

/// Every day that there is.
const EVER: (i32, i32) = (i32::MIN, i32::MAX);

pub(crate) async fn every_end_is_counted_once_however_it_came(db: &TestDatabase) {
    let world = World::new(db).await;
    let (completed, failed, cancelled, dead, expired) = (
        world.running().await,
        world.running().await,
        world.pending().await,
        world.pending().await,
        world.pending().await,
    );
    world
        .settle(&[spent(completion(&completed, 1)), spent(failing(&failed, 1))])
        .await;
    world.cancel(&cancelled).await;
    let protocol = world.protocol();
    let error = r#"{"code":"dead","message":"no"}"#;
    protocol
        .count_dead_letters(System, &[(dead, 0)], 1, error)
        .await
        .unwrap();
    raw::make_due(db, &expired, 1).await;
    let expire = Wake::Expire {
        error: error.to_owned(),
    };
    world.relay_one(&expired, expire).await.unwrap();
    // What has not ended is not counted.
    world.running().await;

    let counted = join_all((0..5).map(|_| protocol.count_ends(System, 2))).await;
    let mut counted: u64 = counted.into_iter().map(Result::unwrap).sum();
    // Whose turn it was not has counted nothing.
    loop {
        match protocol.count_ends(System, 2).await.unwrap() {
            0 => break,
            more => counted += more,
        }
    }
    assert_eq!(counted, 5);
    let stats = stats(&world, EVER, None).await;
    assert_eq!(
        (
            stats.completed,
            stats.failed,
            stats.cancelled,
            stats.total_executions
        ),
        (1, 3, 1, 5)
    );
    assert_eq!((stats.tokens_used, stats.cost_micros), (60, 500));
    // What was never claimed took no time.
    assert!(stats.p50_ms.is_some_and(|ms| ms < 60_000), "{stats:?}");
    assert_eq!((stats.total_workflows, stats.active_workflows), (1, 1));
}

pub(crate) async fn the_metrics_hear_of_every_end_whoever_ended_it(db: &TestDatabase) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    // Of this test's thread, on which the counts are awaited.
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let world = World::new(db).await;
    world.completed().await;
    let failed = world.failed().await;
    world.cancel(&world.pending().await).await;
    let (dead, lost) = (world.pending().await, world.running().await);
    let protocol = world.protocol();
    protocol
        .count_dead_letters(System, &[(dead, 0)], 1, "{}")
        .await
        .unwrap();
    raw::make_due(db, &lost, 1).await;
    let fail = Wake::Fail {
        error: "{}".to_owned(),
    };
    world.relay_one(&lost, fail).await.unwrap();
    // It ended, whatever became of it then.
    protocol
        .retry(&world.tenant, &Actor::OPERATOR, &failed)
        .await
        .unwrap();
    count(&world).await;
    let text = metrics.render();
    for (status, ends) in [("COMPLETED", 1), ("FAILED", 3), ("CANCELLED", 1)] {
        let line = format!("gristmill_executions_ended_total{{status=\"{status}\"}} {ends}\n");
        assert!(text.contains(&line), "{line} is not in {text}");
    }
}

pub(crate) async fn an_operators_retry_takes_the_end_back(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world.settle(&[spent(failing(&id, 1))]).await;
    count(&world).await;
    let sql = format!(
        "SELECT CAST(last_executed_at AS text) AS value FROM workflow_stats WHERE workflow_id = '{}'",
        world.workflow
    );
    let last = raw::texts(db, &sql).await;
    world
        .protocol()
        .retry(&world.tenant, &Actor::OPERATOR, &id)
        .await
        .unwrap();
    count(&world).await;
    let undone = stats(&world, EVER, None).await;
    assert_eq!(
        (
            undone.failed,
            undone.total_executions,
            undone.tokens_used,
            undone.p50_ms
        ),
        (0, 0, 0, None)
    );
    // It was executed all the same.
    assert_eq!(raw::texts(db, &sql).await, last);
    assert_eq!(world.claim(&[(id.clone(), 1)]).await.len(), 1);
    world.settle(&[spent(completion(&id, 2))]).await;
    count(&world).await;
    let done = stats(&world, EVER, None).await;
    assert_eq!(
        (
            done.failed,
            done.completed,
            done.total_executions,
            done.tokens_used
        ),
        (0, 1, 1, 30)
    );
}

pub(crate) async fn figures_are_those_of_the_range_and_the_tenant(db: &TestDatabase) {
    let (world, stranger) = (World::new(db).await, World::new(db).await);
    let other = world.add_workflow("default").await;
    // Durations of 1 to 100 seconds, on two days.
    for (workflow, day) in [(&world.workflow, 20_000), (&other, 20_001)] {
        let rows: Vec<_> = (1..=100)
            .map(|second| {
                let at = moment(db, day);
                format!(
                    "('{}', '{workflow}', 'COMPLETED', 1, {at}, {}, 1, 2)",
                    world.tenant.0,
                    second * 1_000
                )
            })
            .collect();
        let sql = format!("INSERT INTO execution_ends VALUES {};", rows.join(", "));
        raw::execute(db, &sql).await;
    }
    count(&world).await;
    let both = stats(&world, (20_000, 20_001), None).await;
    assert_eq!(
        (both.completed, both.tokens_used, both.cost_micros),
        (200, 200, 400)
    );
    let (p50, p95) = (both.p50_ms.unwrap(), both.p95_ms.unwrap());
    assert!((47_500..=52_500).contains(&p50), "{p50}");
    assert!((90_000..=100_000).contains(&p95), "{p95}");
    assert_eq!(stats(&world, (20_001, 20_001), None).await.completed, 100);
    assert_eq!(stats(&world, (20_002, 20_003), None).await.completed, 0);
    assert_eq!(stats(&world, EVER, Some(&other)).await.completed, 100);
    let nothing = stats(&stranger, EVER, None).await;
    assert_eq!((nothing.completed, nothing.total_executions), (0, 0));
}

pub(crate) async fn ends_of_an_organization_that_is_gone_are_dropped(db: &TestDatabase) {
    let world = World::new(db).await;
    world.completed().await;
    let sql = format!(
        "INSERT INTO execution_ends VALUES ('org_gone', 'wf_gone', 'COMPLETED', 1, {}, NULL, 0, 0)",
        moment(db, 20_000)
    );
    raw::execute(db, &sql).await;
    count(&world).await;
    assert_eq!(stats(&world, EVER, None).await.total_executions, 1);
    let left = "SELECT CAST(count(*) AS text) AS value FROM execution_ends";
    assert_eq!(raw::texts(db, left).await, [Some("0".to_owned())]);
}

/// Noon of a day, as the database writes it.
fn moment(db: &TestDatabase, day: i64) -> String {
    let seconds = day * 86_400 + 43_200;
    match raw::sqlite_path(db) {
        Some(_) => format!("{seconds}000000"),
        None => format!("to_timestamp({seconds})"),
    }
}

fn spent(settle: Settle) -> Settle {
    Settle {
        totals: Totals {
            nodes_executed: 1,
            tokens_used: 30,
            cost_micros: 250,
        },
        ..settle
    }
}

async fn count(world: &World<'_>) {
    while world.protocol().count_ends(System, 1_000).await.unwrap() > 0 {}
}

async fn stats(world: &World<'_>, days: (i32, i32), workflow: Option<&WorkflowId>) -> Stats {
    let range = StatsRange {
        days,
        workflow: workflow.cloned(),
    };
    world.db.store().stats(&world.tenant, &range).await.unwrap()
}
