//! Keys: making, listing and revoking API keys.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gristmill_api::Options;
use gristmill_core::OrganizationId;
use gristmill_core::access::OrganizationRole;
use gristmill_store::{Actor, NewUser, System, Tenant};
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, BASE, World, add_member, options, send, workflow};

fn keys() -> String {
    format!("{BASE}/keys")
}

/// Nothing is remembered: what the database says is what holds.
async fn world(database: TestDatabase) -> World {
    let options = Options {
        key_ttl: Duration::ZERO,
        ..options()
    };
    World::with(database, options).await
}

/// The secret of a new key.
async fn make(world: &World, body: &Value) -> String {
    let answer = world.post(&keys(), body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["apiKey"].as_str().unwrap().to_owned()
}

async fn revoke(world: &World, id: &Value) -> Answer {
    let path = format!("{}/{}", keys(), id.as_str().unwrap());
    send(world.request(Method::DELETE, &path)).await
}

async fn names(world: &World) -> Vec<String> {
    let answer = world.get(&keys()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let keys = body["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["name"].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) async fn a_key_is_shown_once_and_works(database: TestDatabase) {
    let mut world = world(database).await;
    let body = json!({"name": "producer", "scopes": ["ai-hub:workflows:view", "ai-hub:access"], "expiresAt": "2999-01-01T00:00:00Z"});
    let answer = world.post(&keys(), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let made = answer.json();
    let secret = made["apiKey"].as_str().unwrap().to_owned();
    let key = &made["key"];
    assert!(secret.starts_with(key["prefix"].as_str().unwrap()), "{made}");
    assert_eq!(key["scopes"], json!(["ai-hub:access", "ai-hub:workflows:view"]));
    assert_eq!(key["expiresAt"], "2999-01-01T00:00:00Z");

    let list = world.get(&keys()).await;
    assert!(!list.text.contains(&secret), "{list:?}");
    let mut listed = list.json()["keys"][0].clone();
    listed["lastUsedAt"] = Value::Null;
    assert_eq!(&listed, key);
    world.key = secret;
    let path = format!("{BASE}/workflows/wf_none");
    world.get(&path).await.problem(404, "not-found");
    let created = world.post(&format!("{BASE}/workflows"), &workflow()).await;
    let detail = created.problem(403, "forbidden")["detail"].clone();
    assert!(detail.as_str().unwrap().contains("scopes"), "{detail}");
}

pub(crate) async fn a_revoked_key_works_no_more(database: TestDatabase) {
    let mut world = world(database).await;
    let made = world.post(&keys(), &json!({"name": "one"})).await.json();
    for _ in 0..2 {
        assert_eq!(revoke(&world, &made["key"]["id"]).await.status, 204);
    }
    revoke(&world, &json!("key_none")).await.problem(404, "not-found");
    revoke(&world, &json!("wf_1")).await.problem(404, "not-found");
    let listed = world.get(&keys()).await.json();
    assert!(listed["keys"][0]["revokedAt"].is_string(), "{listed}");
    made["apiKey"].as_str().unwrap().clone_into(&mut world.key);
    world.get(&keys()).await.problem(401, "unauthenticated");
}

pub(crate) async fn a_key_makes_no_key_that_may_do_more(database: TestDatabase) {
    let mut world = world(database).await;
    let end = "2900-01-01T00:00:00Z";
    let body =
        json!({"name": "narrow", "scopes": ["ai-hub:access", "ai-hub:workflows:view"], "expiresAt": end});
    world.key = make(&world, &body).await;
    for (more, path, code) in [
        (
            json!({"name": "more", "scopes": ["ai-hub:access", "ai-hub:workflows:execute"]}),
            "$.scopes[1]",
            "not_allowed",
        ),
        (
            json!({"name": "more", "expiresAt": "2900-01-01T00:00:01Z"}),
            "$.expiresAt",
            "not_allowed",
        ),
    ] {
        let problems = world.post(&keys(), &more).await.problems();
        assert_eq!(problems, [(path.to_owned(), code.to_owned())]);
    }
    // What is left out is as with the key that asks.
    for body in [
        json!({"name": "same"}),
        json!({"name": "same", "scopes": [], "expiresAt": null}),
    ] {
        let made = world.post(&keys(), &body).await.json();
        assert_eq!(
            made["key"]["scopes"],
            json!(["ai-hub:access", "ai-hub:workflows:view"])
        );
        assert_eq!(made["key"]["expiresAt"], end);
    }
    let fewer =
        json!({"name": "fewer", "scopes": ["ai-hub:workflows:view"], "expiresAt": "2899-01-01T00:00:00Z"});
    world.key = make(&world, &fewer).await;
    // Without access itself there is no managing of keys.
    world.get(&keys()).await.problem(403, "forbidden");
}

pub(crate) async fn a_key_that_makes_no_sense_is_refused_with_every_problem(database: TestDatabase) {
    let world = world(database).await;
    let before = names(&world).await;
    let problems = async |body: Value| {
        let problems = world.post(&keys(), &body).await.problems();
        problems
            .into_iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(problems(json!({})).await, ["$.name missing"]);
    let all = json!({"name": "", "scopes": ["ai-hub:access", "tea", 7], "expiresAt": "2001-01-01T00:00:00Z", "owner": "me"});
    assert_eq!(
        problems(all).await,
        [
            "$.owner unknown_key",
            "$.name out_of_range",
            "$.scopes[1] unknown_value",
            "$.scopes[2] unknown_value",
            "$.expiresAt out_of_range",
        ]
    );
    let many = json!({"name": "many", "scopes": vec!["tea"; 21]});
    assert_eq!(problems(many).await, ["$.scopes out_of_range"]);
    for time in [
        json!("soon"),
        json!(7),
        json!("+200000-01-01T00:00:00Z"),
        json!("10000-01-01T00:00:00Z"),
    ] {
        let body = json!({"name": "n", "scopes": "all", "expiresAt": time});
        assert_eq!(
            problems(body).await,
            ["$.scopes wrong_type", "$.expiresAt wrong_type"],
            "{time}"
        );
    }
    assert_eq!(
        problems(json!({"name": "a\u{0}b"})).await,
        ["$.name invalid_character"]
    );
    assert_eq!(names(&world).await, before);
    for (query, name) in [
        ("limit=0", "query limit"),
        ("limit=101", "query limit"),
        ("cursor=7", "query cursor"),
        ("page=2", "query page"),
    ] {
        let problems = world.get(&format!("{}?{query}", keys())).await.problems();
        assert_eq!(problems[0].0, name);
    }
}

pub(crate) async fn members_see_and_revoke_their_own_keys_and_admins_everybodys(database: TestDatabase) {
    let mut world = world(database).await;
    let tenant = Tenant(world.organization().await);
    let owner = world.key.clone();
    world.key = member(&world, &tenant).await;
    let members = world.key.clone();
    let made = world.post(&keys(), &json!({"name": "mine"})).await.json();
    assert_eq!(names(&world).await, ["mine", "member's"]);

    world.key.clone_from(&owner);
    let owners = world.post(&keys(), &json!({"name": "owner's"})).await.json();
    assert_eq!(names(&world).await, ["owner's", "mine", "member's", "test"]);
    let page = world.get(&format!("{}?limit=3", keys())).await.json();
    let next = page["nextCursor"].as_str().unwrap();
    let last = world
        .get(&format!("{}?limit=3&cursor={next}", keys()))
        .await
        .json();
    assert_eq!(last["keys"][0]["name"], "test");
    assert_eq!(
        (last["keys"].as_array().unwrap().len(), &last["nextCursor"]),
        (1, &Value::Null)
    );

    world.key = members;
    // It is not there for who may not see it.
    revoke(&world, &owners["key"]["id"])
        .await
        .problem(404, "not-found");
    world.key = add_member(&world.store, "GROWTH", "ADMIN").await.1;
    revoke(&world, &owners["key"]["id"])
        .await
        .problem(404, "not-found");
    world.key = owner;
    assert_eq!(revoke(&world, &made["key"]["id"]).await.status, 204);
}

/// However long a key that was looked up is trusted.
pub(crate) async fn a_trusted_key_ends_with_its_expiry(database: TestDatabase) {
    let trusting = Options {
        key_ttl: Duration::from_secs(3_600),
        ..options()
    };
    let mut world = World::with(database, trusting).await;
    let now = world.store.now().await.unwrap();
    let end: DateTime<Utc> = now + TimeDelta::seconds(2);
    world.key = make(&world, &json!({"name": "brief", "expiresAt": end.to_rfc3339()})).await;
    assert_eq!(world.get(&keys()).await.status, 200);
    let over = async {
        while world.get(&keys()).await.status != 401 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), over)
        .await
        .expect("the key ends");
    assert!(world.store.now().await.unwrap() >= end);
}

pub(crate) async fn the_use_of_a_key_is_noted(database: TestDatabase) {
    let world = world(database).await;
    let noted = async {
        loop {
            let listed = world.get(&keys()).await.json();
            if listed["keys"][0]["lastUsedAt"].is_string() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noted)
        .await
        .expect("its use is noted");
}

/// The key of a new member of the organization.
async fn member(world: &World, Tenant(organization): &Tenant) -> String {
    let store = &world.store;
    let new = NewUser {
        name: "Member".to_owned(),
        email: format!("member@{}.example", OrganizationId::new()),
        global_role: "USER".to_owned(),
    };
    let user = store.create_user(System, new).await.unwrap().unwrap().id;
    let tenant = Tenant(organization.clone());
    store
        .add_member(&tenant, &Actor::OPERATOR, &user, OrganizationRole::Member)
        .await
        .unwrap();
    let (new, secret) = crate::world::new_key("member's");
    store
        .add_api_key(&tenant, &Actor::OPERATOR, &user, new)
        .await
        .unwrap();
    secret
}
