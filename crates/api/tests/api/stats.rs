//! Stats: an organization's figures.

use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, completed, failed};

pub(crate) async fn figures_are_counted_from_what_has_ended(database: TestDatabase) {
    let mut world = World::on(database).await;
    let path = world.workflow_path().await;
    let other = world.workflow_path().await;
    world.post(&format!("{other}/toggle"), &json!({})).await;
    let execute = async || {
        world
            .post(&format!("{path}/execute"), &json!({}))
            .await
            .execution_id()
    };
    let ids = [execute().await, execute().await, execute().await, execute().await];
    world.finish(&ids[0], &[], completed()).await;
    world.finish(&ids[1], &[], completed()).await;
    world.finish(&ids[2], &[], failed()).await;
    world
        .post(&format!("{BASE}/executions/{}/cancel", ids[3]), &json!({}))
        .await;
    execute().await;
    world.count().await;

    let stats = get(&world, "").await;
    assert_eq!(
        (
            &stats["totalWorkflows"],
            &stats["activeWorkflows"],
            &stats["totalExecutions"]
        ),
        (&json!(2), &json!(1), &json!(4))
    );
    assert_eq!(
        stats["byStatus"],
        json!({"COMPLETED": 2, "FAILED": 1, "CANCELLED": 1})
    );
    assert_eq!(
        (&stats["executions"], &stats["successRate"]),
        (&json!(4), &json!(2.0 / 3.0))
    );
    assert_eq!(
        (&stats["tokensUsed"], &stats["costMicros"], &stats["cost"]),
        (&json!(90), &json!(3_750_000), &json!(3.75))
    );
    assert!(
        stats["duration"]["p50Ms"].is_i64() && stats["duration"]["p95Ms"].is_i64(),
        "{stats}"
    );
    // The days that are counted are told, and may be asked for.
    let (from, to) = (text(&stats["from"]), text(&stats["to"]));
    assert_eq!(get(&world, &format!("?from={from}&to={to}")).await, stats);
    assert_eq!(
        get(&world, &format!("?from={to}&to={to}T23:00:00Z")).await["executions"],
        4
    );
    let long_ago = get(&world, "?to=2020-02-29").await;
    assert_eq!(
        (
            &long_ago["executions"],
            &long_ago["successRate"],
            &long_ago["totalExecutions"],
            &long_ago["from"]
        ),
        (&json!(0), &Value::Null, &json!(4), &json!("2020-01-31"))
    );
    let id = other.rsplit('/').next().unwrap();
    assert_eq!(get(&world, &format!("?workflowId={id}")).await["executions"], 0);
    // A deleted workflow's executions have been, all the same.
    world.delete(&path).await;
    world.count().await;
    let after = get(&world, "").await;
    assert_eq!(
        (&after["totalWorkflows"], &after["totalExecutions"]),
        (&json!(1), &json!(5))
    );
    world.key = add_organization(&world.store).await.1;
    let stranger = get(&world, "").await;
    assert_eq!(
        (&stranger["totalWorkflows"], &stranger["totalExecutions"]),
        (&json!(0), &json!(0))
    );
}

pub(crate) async fn a_range_that_is_none_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    for (query, expected) in [
        ("from=yesterday", "query from wrong_type"),
        ("to=2030-02-30", "query to wrong_type"),
        ("from=2030-02-02&to=2030-02-01", "query from out_of_range"),
        // Without `to` it is today.
        ("from=2999-01-01", "query from out_of_range"),
        ("from=%2B10000-01-01", "query from wrong_type"),
        ("from=9999-12-31T23:59:59-23:59", "query from wrong_type"),
        ("days=7", "query days unknown_parameter"),
        ("workflowId=7", "query workflowId invalid_id"),
    ] {
        let path = format!("{BASE}/workflows/stats?{query}");
        let problems = world.get(&path).await.problems();
        let found: Vec<_> = problems
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected], "{query}");
    }
    // The first and the last day that there are.
    for query in ["from=-262143-01-01&to=%2B262142-12-31", "to=-262143-01-01"] {
        let answer = world.get(&format!("{BASE}/workflows/stats?{query}")).await;
        assert!(answer.status < 500, "{answer:?}");
    }
}

async fn get(world: &World, query: &str) -> Value {
    let answer = world.get(&format!("{BASE}/workflows/stats{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
