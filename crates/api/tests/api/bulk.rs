//! Bulk: one order for many executions.

use gristmill_core::ExecutionId;
use gristmill_store::connect_postgres;
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::list_executions::submit;
use crate::world::{BASE, World, add_organization, completed, failed};

async fn ask(world: &World, order: &str, body: &Value) -> Value {
    let answer = world.post(&format!("{BASE}/executions:{order}"), body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// How many executions stand so.
async fn count(world: &World, status: &str) -> usize {
    let list = world
        .get(&format!("{BASE}/executions?status={status}"))
        .await
        .json();
    list["executions"].as_array().unwrap().len()
}

pub(crate) async fn what_a_filter_finds_is_cancelled_in_bounded_steps(database: TestDatabase) {
    let mut world = World::on(database).await;
    let workflow = world.workflow().await;
    let made = submit(&world, &workflow, 6).await;
    world.finish(&made[0], &[], completed()).await;
    world.claim(&made[1]).await;
    let others = submit(&world, &world.workflow().await, 1).await;

    let mut order = json!({"filter": {"workflowId": workflow}, "dryRun": true});
    let counted = ask(&world, "cancel", &order).await;
    assert_eq!(counted, json!({"dryRun": true, "matched": 5, "atLeast": false}));
    assert_eq!(count(&world, "CANCELLED").await, 0);

    // Somebody else's order finds nothing of it.
    let key = add_organization(&world.store).await.1;
    let owner = std::mem::replace(&mut world.key, key);
    assert_eq!(ask(&world, "cancel", &order).await["matched"], 0);
    assert_eq!(ask(&world, "cancel", &json!({"all": true})).await["done"], 0);
    world.key = owner;

    order = json!({"filter": {"workflowId": workflow}, "limit": 2});
    for (done, remaining) in [(2, true), (2, true), (1, false), (0, false)] {
        let answer = ask(&world, "cancel", &order).await;
        let told = (
            &answer["matched"],
            &answer["done"],
            &answer["remaining"],
            &answer["failed"],
        );
        assert_eq!(
            told,
            (&json!(done), &json!(done), &json!(remaining), &json!(0)),
            "{answer}"
        );
        assert_eq!(answer["nextCursor"].is_string(), remaining, "{answer}");
    }
    assert_eq!(count(&world, "CANCELLED").await, 5);
    assert_eq!(count(&world, "COMPLETED").await, 1);
    let other = world
        .get(&format!("{BASE}/executions/{}", others[0]))
        .await
        .json();
    assert_eq!(other["execution"]["status"], "PENDING");
    assert_eq!(ask(&world, "cancel", &json!({"all": true})).await["done"], 1);
}

pub(crate) async fn what_a_filter_finds_failed_is_retried(database: TestDatabase) {
    let world = World::on(database).await;
    let made = submit(&world, &world.workflow().await, 4).await;
    for id in &made[..3] {
        world.finish(id, &[], failed()).await;
    }
    let at = world.get(&format!("{BASE}/executions/{}", made[1])).await.json();
    let filter = json!({"createdFrom": at["execution"]["createdAt"], "lane": "default", "status": "FAILED"});
    let counted = ask(&world, "retry", &json!({"filter": filter, "dryRun": true})).await;
    assert_eq!(counted["matched"], 2, "{counted}");
    // A cursor goes on behind what an earlier request has come to.
    let first = ask(&world, "retry", &json!({"filter": filter, "limit": 1})).await;
    assert_eq!(
        (&first["done"], &first["remaining"]),
        (&json!(1), &json!(true)),
        "{first}"
    );
    let rest = json!({"filter": filter, "cursor": first["nextCursor"]});
    let second = ask(&world, "retry", &rest).await;
    assert_eq!(
        (&second["done"], &second["remaining"]),
        (&json!(1), &json!(false)),
        "{second}"
    );
    assert_eq!(count(&world, "PENDING").await, 3);
    assert_eq!(count(&world, "FAILED").await, 1);
}

pub(crate) async fn what_cannot_be_retried_is_told_and_not_met_again(database: TestDatabase) {
    let world = World::on(database).await;
    let workflow = world.workflow().await;
    for id in &submit(&world, &workflow, 3).await {
        world.finish(id, &[], failed()).await;
    }
    let deleted = world.delete(&format!("{BASE}/workflows/{workflow}")).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let mut order = json!({"all": true, "limit": 2});
    for (count, remaining) in [(2, true), (1, false)] {
        let answer = ask(&world, "retry", &order).await;
        let told = (
            &answer["done"],
            &answer["skipped"],
            &answer["failed"],
            &answer["remaining"],
        );
        assert_eq!(
            told,
            (&json!(0), &json!(0), &json!(count), &json!(remaining)),
            "{answer}"
        );
        let detail = answer["failures"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("no such workflow"), "{answer}");
        order["cursor"] = answer["nextCursor"].clone();
    }
}

pub(crate) async fn an_order_for_everything_must_say_so(database: TestDatabase) {
    let world = World::on(database).await;
    submit(&world, &world.workflow().await, 1).await;
    for (order, body, path) in [
        ("cancel", json!({}), "$.filter"),
        ("cancel", json!({"filter": {}}), "$.filter"),
        (
            "retry",
            json!({"filter": {"tags": [], "status": null}, "all": false}),
            "$.filter",
        ),
        (
            "cancel",
            json!({"filter": {"lane": "default"}, "all": true}),
            "$.all",
        ),
        (
            "cancel",
            json!({"filter": {"status": "FAILED"}}),
            "$.filter.status",
        ),
        (
            "retry",
            json!({"filter": {"status": ["FAILED", "PENDING"]}}),
            "$.filter.status",
        ),
        ("retry", json!({"filter": {"status": "NO"}}), "$.filter.status"),
        (
            "cancel",
            json!({"filter": {"workflow": "wf_1"}}),
            "$.filter.workflow",
        ),
        (
            "cancel",
            json!({"filter": {"workflowId": 7}}),
            "$.filter.workflowId",
        ),
        ("cancel", json!({"filter": {"tags": ["a", 1]}}), "$.filter.tags"),
        // Refused by their number, whatever they are.
        (
            "cancel",
            json!({"filter": {"tags": vec!["a"; 11]}}),
            "$.filter.tags",
        ),
        (
            "cancel",
            json!({"filter": {"tags": vec![1; 11]}}),
            "$.filter.tags",
        ),
        (
            "cancel",
            json!({"filter": {"status": vec!["PENDING"; 11]}}),
            "$.filter.status",
        ),
        ("cancel", json!({"filter": {"lane": "a\u{0}"}}), "$.filter.lane"),
        (
            "cancel",
            json!({"filter": {"createdTo": "now"}}),
            "$.filter.createdTo",
        ),
        ("cancel", json!({"filter": []}), "$.filter"),
        ("cancel", json!({"all": true, "limit": 0}), "$.limit"),
        ("cancel", json!({"all": true, "limit": 1.5}), "$.limit"),
        ("cancel", json!({"all": true, "cursor": "x"}), "$.cursor"),
        ("cancel", json!({"all": true, "dryRun": 1}), "$.dryRun"),
        ("cancel", json!({"all": true, "force": true}), "$.force"),
    ] {
        let problems = world
            .post(&format!("{BASE}/executions:{order}"), &body)
            .await
            .problems();
        assert!(
            problems.iter().any(|problem| problem.0 == path),
            "{body}: {problems:?}"
        );
    }
    assert_eq!(count(&world, "PENDING").await, 1);
}

pub(crate) async fn one_execution_that_cannot_be_had_hurts_no_other(database: TestDatabase) {
    let world = World::on(database).await;
    let made = submit(&world, &world.workflow().await, 5).await;
    let bad: &ExecutionId = &made[2];
    let url = world
        .database
        .as_ref()
        .map(|database| database.url().to_owned())
        .unwrap_or_default();
    if url.starts_with("sqlite:") {
        // Past the store, the file is written by nobody else.
        return;
    }
    let sql = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
         CREATE TRIGGER refuse BEFORE UPDATE ON executions FOR EACH ROW WHEN (OLD.id = '{bad}') EXECUTE FUNCTION refuse()"
    );
    let client = connect_postgres(&gristmill_store::Options::new(&url))
        .await
        .unwrap();
    client.batch_execute(&sql).await.unwrap();

    let answer = ask(&world, "cancel", &json!({"all": true})).await;
    assert_eq!(
        (&answer["done"], &answer["failed"], &answer["remaining"]),
        (&json!(4), &json!(1), &json!(false)),
        "{answer}"
    );
    assert_eq!(answer["failures"][0]["executionId"], bad.as_str());
    assert_eq!(
        (count(&world, "CANCELLED").await, count(&world, "PENDING").await),
        (4, 1)
    );
}
