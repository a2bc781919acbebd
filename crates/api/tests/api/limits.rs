//! Limits: what a tier allows, and how fast a key may go.

use std::num::NonZero;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use gristmill_api::Options;
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::batch::{batch_path, outcomes};
use crate::world::{
    Answer, BASE, World, add_member, add_organization, execute_path, options, send, workflow,
};

/// Submits so many executions of a workflow.
async fn submit(world: &World, workflow: &str, count: usize) -> Answer {
    let inputs = vec![json!({}); count];
    world
        .post(&batch_path(workflow), &json!({"inputs": inputs}))
        .await
}

async fn usage(world: &World) -> Value {
    let answer = world.get(&format!("{BASE}/usage")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) async fn of_two_hundred_at_once_for_the_last_place_one_is_admitted(database: TestDatabase) {
    let world = World::on(database).await;
    let workflow = world.workflow().await;
    assert_eq!(submit(&world, &workflow, 999).await.status, 202);
    let path = execute_path(&workflow);
    let body = json!({});
    let answers = join_all((0..200).map(|_| world.post(&path, &body))).await;
    let admitted: Vec<_> = answers.iter().filter(|answer| answer.status == 202).collect();
    assert_eq!(admitted.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        refused.problem(429, "limit");
    }
    assert_eq!(usage(&world).await["executions"]["used"], 1_000);
}

pub(crate) async fn over_the_months_limit_the_answer_says_when_to_come_back(database: TestDatabase) {
    let world = World::on(database).await;
    let workflow = world.workflow().await;
    let path = execute_path(&workflow);
    let keyed = || {
        send(
            world
                .request(Method::POST, &path)
                .header("idempotency-key", "order-1"),
        )
    };
    let first = keyed().await;
    assert_eq!(first.status, 202, "{first:?}");
    let before = usage(&world).await;
    assert_eq!(before["executions"]["used"], 1);
    assert_eq!(before["executions"]["limit"], 1_000);
    assert_eq!(before["workflows"], json!({"used": 1, "limit": 10}));
    assert_eq!(before["agents"], json!({"used": 0, "limit": 5}));

    let filled = submit(&world, &workflow, 1_000).await;
    assert_eq!(filled.status, 207);
    let expected: Vec<_> = (0..1_000)
        .map(|index| if index < 999 { "accepted" } else { "limit" })
        .collect();
    assert_eq!(outcomes(&filled), expected);
    let refused = world.post(&path, &json!({})).await;
    let problem = refused.problem(429, "limit");
    assert_eq!(
        (&problem["limit"], &problem["used"]),
        (&json!(1_000), &json!(1_000))
    );
    assert_eq!(
        filled.json()["items"][999]["problem"]["resetsAt"],
        problem["resetsAt"]
    );
    let resets_at = usage(&world).await["executions"]["resetsAt"].clone();
    assert_eq!(problem["resetsAt"], resets_at);
    assert!(
        resets_at.as_str().unwrap().ends_with("-01T00:00:00Z"),
        "{resets_at}"
    );
    // In seconds, like everywhere.
    let retry_after: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    let resets_at: DateTime<Utc> = resets_at.as_str().unwrap().parse().unwrap();
    let left = (resets_at - Utc::now()).num_seconds();
    assert!((left..left + 600).contains(&retry_after), "{retry_after}, {left}");

    // What was accepted once is not refused, and nothing else is taken that would count.
    let again = keyed().await;
    assert_eq!((again.status, again.execution_id()), (202, first.execution_id()));
    let id = first.execution_id();
    world
        .post(&format!("{BASE}/executions/{id}/replay"), &json!({}))
        .await
        .problem(429, "limit");
    assert_eq!(usage(&world).await["executions"]["used"], 1_000);
}

pub(crate) async fn workflows_are_limited_by_tier(database: TestDatabase) {
    let world = World::on(database).await;
    for _ in 0..10 {
        world.workflow().await;
    }
    let refused = world.post(&format!("{BASE}/workflows"), &workflow()).await;
    let problem = refused.problem(429, "limit");
    assert_eq!(
        (&problem["limit"], &problem["used"], &problem["resetsAt"]),
        (&json!(10), &json!(10), &json!(null))
    );
    assert_eq!(refused.header("retry-after"), None);
    world
        .post(
            &format!("{BASE}/templates/tpl_approvalflow/instantiate"),
            &json!({}),
        )
        .await
        .problem(429, "limit");
    assert_eq!(usage(&world).await["workflows"]["used"], 10);
}

pub(crate) async fn a_super_admin_is_not_limited(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.key = add_member(&world.store, "FREE", "SUPER_ADMIN").await.1;
    let workflow = world.workflow().await;
    assert_eq!(submit(&world, &workflow, 3).await.status, 202);
    let usage = usage(&world).await;
    assert_eq!(usage["executions"]["used"], 3);
    assert_eq!(usage["executions"]["limit"], json!(null));
    assert_eq!(usage["workflows"], json!({"used": 1, "limit": null}));
}

/// A key that may send `burst` requests, and then next to none.
async fn slow(database: TestDatabase, burst: u32) -> World {
    let limits = Options {
        requests_per_second: 1,
        request_burst: NonZero::new(burst).unwrap(),
        ..options()
    };
    World::with(database, limits).await
}

pub(crate) async fn a_key_that_is_too_fast_is_told_when_to_come_back(database: TestDatabase) {
    let mut world = slow(database, 200).await;
    let path = format!("{BASE}/usage");
    let first = world.get(&path).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), Some(r#""key";q=200;w=200"#));
    assert_eq!(first.header("ratelimit"), Some(r#""key";r=199;t=1"#));
    // Sent at once, they come faster than one a second, however slow the machine.
    let answers = join_all((0..600).map(|_| world.get(&path))).await;
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    refused.problem(429, "rate-limit");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some(r#""key";r=0;t=1"#));
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.status == 429)
    );
    // Whoever asks without a key is no key's burden, and another key has a rate of its own.
    assert_eq!(
        send(world.bare_request(Method::GET, "/healthz"))
            .await
            .header("ratelimit"),
        None
    );
    world.key = add_organization(&world.store).await.1;
    assert_eq!(world.get(&path).await.status, 200);
}

pub(crate) async fn each_input_of_a_batch_counts_against_the_rate(database: TestDatabase) {
    let world = slow(database, 900).await;
    let workflow = world.workflow().await;
    let first = submit(&world, &workflow, 500).await;
    assert_eq!(first.status, 202);
    let (left, _) = rate(&first);
    assert!((399..500).contains(&left), "{first:?}");
    let second = submit(&world, &workflow, 500).await;
    second.problem(429, "rate-limit");
    // 500 are wanted, the request itself among them, and one of those that were left is gone.
    let (left, wait) = rate(&second);
    assert!(left == 0 && (50..=102).contains(&wait), "{second:?}");
    assert_eq!(second.header("retry-after"), Some(&*wait.to_string()));
    assert_eq!(usage(&world).await["executions"]["used"], 500);
}

pub(crate) async fn an_idle_key_gets_any_batch_through(database: TestDatabase) {
    let mut world = slow(database, 5).await;
    let workflow = world.workflow().await;
    let made = world
        .post(&format!("{BASE}/keys"), &json!({"name": "idle"}))
        .await;
    world.key = made.json()["apiKey"].as_str().unwrap().to_owned();
    let batch = submit(&world, &workflow, 40).await;
    assert_eq!((batch.status, rate(&batch)), (202, (0, 5)), "{batch:?}");
}

/// What `RateLimit` says: how many are left, and for how long.
fn rate(answer: &Answer) -> (u64, u64) {
    let shown = answer.header("ratelimit").unwrap();
    let numbers = shown.strip_prefix(r#""key";r="#).unwrap().split_once(";t=");
    let (left, wait) = numbers.unwrap();
    (left.parse().unwrap(), wait.parse().unwrap())
}
