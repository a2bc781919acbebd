//! Audit: what the log of what people changed says, and to whom.

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, failed, send};

fn audit() -> String {
    format!("{BASE}/audit")
}

async fn entries(world: &World, query: &str) -> Vec<Value> {
    let answer = world.get(&format!("{}?{query}", audit())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["entries"].as_array().unwrap().clone()
}

pub(crate) async fn what_was_done_is_shown_with_who_and_in_which_request(database: TestDatabase) {
    let mut world = World::on(database).await;
    let key = world.get(&format!("{BASE}/keys")).await.json()["keys"][0].clone();
    let id = world.execution().await;
    let signal = format!("{BASE}/executions/{id}/signals/go");
    let mut requests = Vec::new();
    let mut done = |answer: crate::world::Answer, status: u16| {
        assert_eq!(answer.status, status, "{answer:?}");
        requests.push(answer.header("x-request-id").unwrap().to_owned());
        answer
    };
    done(world.post(&signal, &json!({})).await, 202);
    world.finish(&id, &[], failed()).await;
    let path = format!("{BASE}/executions/{id}");
    done(world.post(&format!("{path}/retry"), &json!({})).await, 202);
    done(world.post(&format!("{path}/cancel"), &json!({})).await, 200);
    let replayed = done(world.post(&format!("{path}/replay"), &json!({})).await, 202);
    done(send(world.request(Method::DELETE, &path)).await, 204);
    let made = done(
        world
            .post(&format!("{BASE}/keys"), &json!({"name": "second"}))
            .await,
        201,
    );
    let second = made.json()["key"]["id"].as_str().unwrap().to_owned();
    let path = format!("{BASE}/keys/{second}");
    done(send(world.request(Method::DELETE, &path)).await, 204);

    let shown = entries(&world, "limit=7").await;
    let id = id.to_string();
    let expected = [
        ("execution.signal", &id),
        ("execution.retry", &id),
        ("execution.cancel", &id),
        ("execution.replay", &replayed.execution_id().to_string()),
        ("execution.delete", &id),
        ("api_key.create", &second),
        ("api_key.revoke", &second),
    ];
    for ((entry, (action, object)), request) in shown.iter().rev().zip(expected).zip(&requests) {
        assert_eq!(entry["action"], action, "{entry}");
        let kind = action.split('.').next().unwrap();
        assert_eq!(entry["object"], json!({"kind": kind, "id": object}), "{entry}");
        assert_eq!(
            entry["actor"],
            json!({"userId": key["userId"], "keyId": key["id"]}),
            "{entry}"
        );
        assert_eq!(entry["requestId"], *request, "{entry}");
    }
    let detail = &entries(&world, "action=api_key.create&limit=1").await[0]["detail"];
    assert_eq!(detail["name"], "second");
    assert!(!detail.to_string().contains("hash"), "{detail}");
    // What made the organization was `gristmill admin`.
    let made = &entries(&world, "objectKind=organization").await[0];
    assert_eq!(made["actor"], json!({"userId": null, "keyId": null}));
    assert_eq!(entries(&world, &format!("objectId={second}")).await.len(), 2);

    world.key = add_organization(&world.store).await.1;
    assert_eq!(entries(&world, &format!("objectId={second}")).await.len(), 0);
}

pub(crate) async fn a_page_leads_to_the_next_one(database: TestDatabase) {
    let world = World::on(database).await;
    for name in ["one", "two", "three"] {
        let made = world.post(&format!("{BASE}/keys"), &json!({"name": name})).await;
        assert_eq!(made.status, 201);
    }
    let whole = entries(&world, "").await;
    let (mut paged, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = world.get(&format!("{}?{query}", audit())).await.json();
        paged.extend(page["entries"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => query = format!("limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, whole);
    let times: Vec<_> = whole
        .iter()
        .map(|entry| entry["createdAt"].as_str().unwrap())
        .collect();
    let from = entries(&world, &format!("from={}", times[1])).await;
    let to = entries(&world, &format!("to={}", times[1])).await;
    assert_eq!(from.len() + to.len(), whole.len());
    assert!(from.contains(&whole[1]) && !to.contains(&whole[1]));
}

pub(crate) async fn a_bad_parameter_is_named(database: TestDatabase) {
    let world = World::on(database).await;
    for (query, path, code) in [
        ("action=workflow.brew", "query action", "invalid_parameter"),
        ("objectKind=tea", "query objectKind", "invalid_parameter"),
        ("objectId=a%00b", "query objectId", "invalid_parameter"),
        ("objectId=", "query objectId", "invalid_parameter"),
        ("userId=key_1", "query userId", "invalid_parameter"),
        ("keyId=%ff", "query keyId", "invalid_parameter"),
        ("from=yesterday", "query from", "invalid_parameter"),
        ("to=-4800-01-01T00:00:00Z", "query to", "invalid_parameter"),
        ("to=%2B200000-01-01T00:00:00Z", "query to", "invalid_parameter"),
        ("cursor=7", "query cursor", "invalid_parameter"),
        (
            "cursor=9000000000000000000-audit_1",
            "query cursor",
            "invalid_parameter",
        ),
        ("cursor=1-wf_1", "query cursor", "invalid_parameter"),
        ("limit=many", "query limit", "invalid_parameter"),
        ("actor=me", "query actor", "unknown_parameter"),
        ("limit=1&limit=2", "query limit", "repeated_parameter"),
    ] {
        let problems = world.get(&format!("{}?{query}", audit())).await.problems();
        assert_eq!(problems, [(path.to_owned(), code.to_owned())], "{query}");
    }
}
