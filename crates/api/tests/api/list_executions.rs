//! List of executions: a page at a time. What each filter finds, and what a list reads, is the store's to test.

use gristmill_core::ExecutionId;
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, completed, execute_path, failed};

const LIST: &str = "/api/v1/ai-hub/executions";

/// So many executions of one workflow, oldest first.
pub(crate) async fn submit(world: &World, workflow: &str, count: usize) -> Vec<ExecutionId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let answer = world
            .post(&execute_path(workflow), &json!({"input": {"secret": 7}}))
            .await;
        ids.push(answer.execution_id());
    }
    ids
}

fn ids(body: &Value) -> Vec<&str> {
    let list = body["executions"].as_array().unwrap();
    list.iter()
        .map(|execution| execution["id"].as_str().unwrap())
        .collect()
}

pub(crate) async fn executions_are_found_by_the_tags_that_they_were_submitted_with(database: TestDatabase) {
    let world = World::on(database).await;
    let workflow = world.workflow().await;
    let path = execute_path(&workflow);
    let plain = world.post(&path, &json!({})).await.execution_id();
    let tagged = world
        .post(&path, &json!({"tags": ["paid", "Köln & Bonn", "paid"]}))
        .await
        .execution_id();
    let items = json!({"items": [{"tags": ["paid"]}, {}, {"tags": ["late"]}]});
    let batch = world
        .post(&format!("{BASE}/workflows/{workflow}/executions:batch"), &items)
        .await
        .json();
    let item = |index: usize| batch["items"][index]["executionId"].as_str().unwrap();
    world.finish(&tagged, &[], failed()).await;
    let replayed = world
        .post(&format!("{BASE}/executions/{tagged}/replay"), &json!({}))
        .await
        .execution_id();
    let (tagged, replayed) = (tagged.as_str(), replayed.as_str());
    for (query, expected) in [
        ("tags=paid", vec![replayed, item(0), tagged]),
        ("tags=late,paid", vec![replayed, item(2), item(0), tagged]),
        ("tags=K%C3%B6ln%20%26%20Bonn", vec![replayed, tagged]),
        ("tags=paid&status=FAILED", vec![tagged]),
        ("tags=pai", vec![]),
        (
            "",
            vec![replayed, item(2), item(1), item(0), tagged, plain.as_str()],
        ),
    ] {
        let body = world.get(&format!("{LIST}?{query}")).await.json();
        let (mut found, mut expected) = (ids(&body), expected);
        // Those of one batch may be of one moment.
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    let problems = world.post(&path, &json!({"tags": ["a,b"]})).await.problems();
    assert_eq!(
        problems,
        [("$.tags[0]".to_owned(), "invalid_character".to_owned())]
    );
}

pub(crate) async fn executions_are_listed_page_by_page_without_their_documents(database: TestDatabase) {
    let mut world = World::on(database).await;
    let workflow = world.workflow().await;
    let made = submit(&world, &workflow, 5).await;
    world.finish(&made[1], &[], completed()).await;
    world.finish(&made[3], &[], failed()).await;

    let newest_first: Vec<_> = made.iter().rev().map(ExecutionId::as_str).collect();
    let mut found = Vec::new();
    let mut path = format!("{LIST}?limit=2");
    for page in 0..3 {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.text.contains("secret"), "{answer:?}");
        let body = answer.json();
        found.extend(ids(&body).into_iter().map(str::to_owned));
        match body["nextCursor"].as_str() {
            Some(cursor) => path = format!("{LIST}?limit=2&cursor={cursor}"),
            None => assert_eq!(page, 2),
        }
    }
    assert_eq!(found, newest_first);

    let whole = world.get(LIST).await.json();
    assert_eq!((ids(&whole), &whole["nextCursor"]), (newest_first, &Value::Null));
    let failed = &whole["executions"][1];
    for (key, value) in [
        ("workflowId", json!(workflow)),
        ("status", json!("FAILED")),
        ("lane", json!("default")),
        ("error", json!({"code": "broken", "message": "no"})),
        ("errorOmitted", json!(false)),
        ("tokensUsed", json!(30)),
    ] {
        assert_eq!(failed[key], value, "{key} of {failed}");
    }
    // Both bounds of a range are part of it.
    let at = failed["createdAt"].as_str().unwrap();
    for (query, expected) in [
        ("status=FAILED".to_owned(), &[3][..]),
        ("status=COMPLETED,FAILED".to_owned(), &[3, 1]),
        ("status=COMPLETED&status=PENDING".to_owned(), &[4, 2, 1, 0]),
        (format!("workflow={workflow}&lane=default"), &[4, 3, 2, 1, 0]),
        ("workflow=wf_0&status=FAILED".to_owned(), &[]),
        ("lane=bulk".to_owned(), &[]),
        ("tags=a,b".to_owned(), &[]),
        (format!("createdFrom={at}&createdTo={at}&status=FAILED"), &[3]),
        ("createdFrom=2100-01-01T00:00:00Z".to_owned(), &[]),
    ] {
        let body = world.get(&format!("{LIST}?{query}")).await.json();
        let expected: Vec<_> = expected
            .iter()
            .map(|number: &usize| made[*number].as_str())
            .collect();
        assert_eq!(ids(&body), expected, "{query}");
    }

    world.key = add_organization(&world.store).await.1;
    for query in [String::new(), format!("?workflow={workflow}")] {
        let body = world.get(&format!("{LIST}{query}")).await.json();
        assert_eq!(body, json!({"executions": [], "nextCursor": null}));
    }
}

pub(crate) async fn a_bad_parameter_of_a_list_is_named(database: TestDatabase) {
    let world = World::on(database).await;
    let many: Vec<_> = (0..11).map(|number| format!("t{number}")).collect();
    for (query, name) in [
        ("status=", "status"),
        ("status=failed", "status"),
        ("status=FAILED,OTHER", "status"),
        ("workflow=7", "workflow"),
        ("workflow=wf_a%00", "workflow"),
        ("createdFrom=yesterday", "createdFrom"),
        ("createdTo=99999-01-01T00:00:00Z", "createdTo"),
        ("lane=", "lane"),
        ("lane=%00", "lane"),
        ("tags=a,,b", "tags"),
        ("tags=%00", "tags"),
        (&format!("tags={}", many.join(",")), "tags"),
        (&"tags=a&".repeat(11), "tags"),
        (&format!("status={}", ["FAILED"; 11].join(",")), "status"),
        (&format!("tags={}", "t".repeat(51)), "tags"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=", "cursor"),
        ("cursor=1-0-%ff", "cursor"),
        ("cursor=1-7fffffffffffffff-a", "cursor"),
        ("offset=3", "offset"),
        ("%ff=%fe", "\u{fffd}"),
    ] {
        let problems = world.get(&format!("{LIST}?{query}")).await.problems();
        assert_eq!(problems.len(), 1, "{query}: {problems:?}");
        assert_eq!(problems[0].0, format!("query {name}"), "{query}");
    }
    let problems = world
        .get(&format!("{BASE}/executions?limit=0&lane=&x=1"))
        .await
        .problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
}
