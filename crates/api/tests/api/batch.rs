//! Batch: many submits in one request.

use gristmill_api::Options;
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, BASE, World, add_organization, execute_path, options, send, workflow};

pub(crate) fn batch_path(workflow: &str) -> String {
    format!("{BASE}/workflows/{workflow}/executions:batch")
}

/// What became of each item.
#[track_caller]
pub(crate) fn outcomes(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let items = body["items"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    for (index, item) in items.iter().enumerate() {
        assert_eq!(item["index"], index);
        let taken = item["outcome"] == "accepted" || item["outcome"] == "known";
        assert_eq!(item["executionId"].is_string(), taken, "{item}");
        assert_eq!(item["problem"].is_object(), !taken, "{item}");
    }
    items
        .iter()
        .map(|item| item["outcome"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| item["executionId"].as_str().unwrap().to_owned())
        .collect()
}

async fn post(world: &World, path: &str, key: Option<&str>, body: &str) -> Answer {
    let mut request = world
        .request(Method::POST, path)
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(request.body(body.to_owned())).await
}

pub(crate) async fn each_input_of_a_batch_is_an_execution(database: TestDatabase) {
    let world = World::on(database).await;
    let path = batch_path(&world.workflow().await);
    let answer = post(&world, &path, None, r#"{"inputs": [{"n":1.0}, {}, {"n" : 3}]}"#).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(outcomes(&answer), ["accepted"; 3]);
    assert_eq!(answer.json()["accepted"], 3);
    for (id, input) in ids(&answer).iter().zip([r#"{"n":1.0}"#, "{}", r#"{"n" : 3}"#]) {
        let read = world.get(&format!("{BASE}/executions/{id}")).await;
        assert!(read.text.contains(&format!(r#""input":{input},"#)), "{read:?}");
    }
}

pub(crate) async fn the_same_batch_again_is_answered_with_the_same_executions(database: TestDatabase) {
    let world = World::on(database).await;
    let path = batch_path(&world.workflow().await);
    let first = post(&world, &path, Some("day-1"), r#"{"inputs":[{"n":1},{"n":2}]}"#).await;
    assert_eq!(outcomes(&first), ["accepted"; 2]);
    // The other form says the same, and one more.
    let body = r#"{"items":[{"input":{"n":1}},{"input":{"n":20}},{"input":{"n":3}}]}"#;
    let again = post(&world, &path, Some("day-1"), body).await;
    assert_eq!(again.status, 207, "{again:?}");
    assert_eq!(outcomes(&again), ["known", "idempotency-key-reused", "accepted"]);
    assert_eq!(
        again.json()["items"][0]["executionId"],
        first.json()["items"][0]["executionId"]
    );
    let repeated = post(&world, &path, Some("day-1"), r#"{"inputs":[{"n":1},{"n":2}]}"#).await;
    assert_eq!((repeated.status, ids(&repeated)), (202, ids(&first)));
}

pub(crate) async fn what_is_wrong_with_one_item_keeps_no_other_from_running(database: TestDatabase) {
    let world = World::on(database).await;
    let mut definition = workflow();
    definition["nodes"][0]["data"]["inputSchema"] = json!({"type": "object", "required": ["n"]});
    let created = world.post(&format!("{BASE}/workflows"), &definition).await.json();
    let path = batch_path(created["workflow"]["id"].as_str().unwrap());
    let items = json!({"items": [
        {"input": {"n": 1}, "tags": ["first"], "metadata": {"order": 7}},
        {"input": {"m": 1}},
        {"input": {"n": 1}, "tags": "none"},
        7,
        {"input": {"n": 2}, "delayMs": 60000},
    ]});
    let answer = world.post(&path, &items).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    assert_eq!(
        outcomes(&answer),
        ["accepted", "invalid", "invalid", "invalid", "accepted"]
    );
    let body = answer.json();
    assert_eq!((&body["accepted"], &body["refused"]), (&json!(2), &json!(3)));
    let problem = &body["items"][2]["problem"];
    assert_eq!(problem["type"], "urn:gristmill:problem:invalid");
    assert_eq!(problem["errors"][0]["path"], "$.tags");
    assert!(problem.get("instance").is_none());
    assert_eq!(body["items"][1]["problem"]["errors"][0]["path"], "$.input");
    let read = async |index: usize| {
        let id = body["items"][index]["executionId"].as_str().unwrap();
        world.get(&format!("{BASE}/executions/{id}")).await.json()["execution"].clone()
    };
    let first = read(0).await;
    assert_eq!(
        (&first["tags"], &first["metadata"]),
        (&json!(["first"]), &json!({"order": 7}))
    );
    assert_eq!(read(4).await["status"], "WAITING");
}

pub(crate) async fn what_is_wrong_with_all_is_an_error_of_the_whole(database: TestDatabase) {
    let mut world = World::on(database).await;
    let mut definition = workflow();
    definition["isActive"] = json!(false);
    let created = world.post(&format!("{BASE}/workflows"), &definition).await.json();
    let inactive = batch_path(created["workflow"]["id"].as_str().unwrap());
    let path = batch_path(&world.workflow().await);
    let body = json!({"inputs": [{}, {}]});
    world
        .post(&inactive, &body)
        .await
        .problem(409, "inactive-workflow");
    world.key = add_organization(&world.store).await.1;
    world.post(&path, &body).await.problem(404, "not-found");
}

pub(crate) async fn a_batch_that_is_none_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    let path = batch_path(&world.workflow().await);
    let many: Vec<_> = (0..1_001).map(|_| json!({})).collect();
    for (body, path_and_code) in [
        (json!({}), ("$.inputs", "missing")),
        (json!({"inputs": []}), ("$.inputs", "out_of_range")),
        (json!({"inputs": many}), ("$.inputs", "out_of_range")),
        (json!({"items": {}}), ("$.items", "wrong_type")),
        (
            json!({"inputs": [{}], "items": [{}]}),
            ("$.items", "contradiction"),
        ),
        (json!({"inputs": [{}], "input": {}}), ("$.input", "unknown_key")),
        (json!([{}]), ("$", "wrong_type")),
    ] {
        let answer = world.post(&path, &body).await;
        let expected = (path_and_code.0.to_owned(), path_and_code.1.to_owned());
        assert_eq!(answer.problems(), [expected], "{body}");
    }
}

pub(crate) async fn a_batchs_body_has_a_limit_of_its_own(database: TestDatabase) {
    let limits = Options {
        max_body_bytes: 4 * 1024,
        max_batch_bytes: 16 * 1024,
        ..options()
    };
    let world = World::with(database, limits).await;
    let path = batch_path(&world.workflow().await);
    let of = |kib: usize| -> Value { json!({"inputs": vec![json!({"text": "x".repeat(1_000)}); kib]}) };
    assert_eq!(world.post(&path, &of(8)).await.status, 202);
    let problem = world.post(&path, &of(20)).await.problem(413, "body-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("16384"), "{problem}");
}

pub(crate) async fn an_item_is_no_larger_than_the_body_of_a_submit(database: TestDatabase) {
    let limits = Options {
        max_body_bytes: 4 * 1024,
        ..options()
    };
    let world = World::with(database, limits).await;
    let workflow = world.workflow().await;
    let large = json!({"text": "x".repeat(5 * 1024)});
    for body in [
        json!({"inputs": [{}, large]}),
        json!({"items": [{}, {"input": large}]}),
    ] {
        let answer = world.post(&batch_path(&workflow), &body).await;
        assert_eq!(answer.status, 207, "{answer:?}");
        assert_eq!(outcomes(&answer), ["accepted", "body-too-large"]);
        assert_eq!(answer.json()["items"][1]["problem"]["status"], 413);
    }
    world
        .post(&execute_path(&workflow), &json!({"input": large}))
        .await
        .problem(413, "body-too-large");
}

pub(crate) async fn of_any_number_of_problems_some_are_told(database: TestDatabase) {
    let limits = Options {
        max_body_bytes: 4 * 1024 * 1024,
        ..options()
    };
    let world = World::with(database, limits).await;
    let workflow = world.workflow().await;
    let keys: Vec<_> = (0..200_000).map(|key| format!(r#""{key}":0"#)).collect();
    let keys = keys.join(",");
    for (path, body) in [
        (execute_path(&workflow), format!("{{{keys}}}")),
        (batch_path(&workflow), format!("{{{keys}}}")),
        (
            batch_path(&workflow),
            format!(r#"{{"items":[{{{keys}}},{{{keys}}}]}}"#),
        ),
        (
            execute_path(&workflow),
            format!(r#"{{"{}":0}}"#, "k".repeat(1_000_000)),
        ),
    ] {
        let answer = post(&world, &path, None, &body).await;
        assert!(matches!(answer.status, 422 | 207), "{}", answer.status);
        assert!(answer.text.len() < 100_000, "{}", answer.text.len());
    }
    let answer = post(&world, &batch_path(&workflow), None, &format!("{{{keys}}}")).await;
    assert!(answer.text.contains("and 199900 more unknown keys"), "{answer:?}");
    let item = format!("{{{}}}", &keys[..keys.find(",\"200\"").unwrap()]);
    let items = format!(r#"{{"items":[{}]}}"#, vec![item; 100].join(","));
    let answer = post(&world, &batch_path(&workflow), None, &items).await;
    assert_eq!(outcomes(&answer), ["invalid"; 100]);
    let told = answer.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(errors)
        .sum::<usize>();
    assert!((1_000..1_100).contains(&told), "{told}");
}

fn errors(item: &Value) -> usize {
    let errors = item["problem"]["errors"].as_array().unwrap();
    assert!(!errors.is_empty(), "{item}");
    errors.len()
}
