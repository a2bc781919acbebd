//! Change of a workflow: editing, switching, deleting and showing it.

use futures_util::future::join_all;
use gristmill_core::ExecutionId;
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, BASE, World, add_member, add_organization, completed, options, send, workflow};

pub(crate) async fn a_patch_changes_what_it_names_and_nothing_else(database: TestDatabase) {
    let world = World::on(database).await;
    let mut sent = workflow();
    sent["description"] = json!("Shapes");
    sent["tags"] = json!(["a"]);
    sent["variables"] = json!({"limit": 3});
    let made = world.post(&format!("{BASE}/workflows"), &sent).await;
    let path = place(&made);
    assert_eq!(made.header("etag"), Some("\"1\""));

    let renamed = world
        .patch(&path, &json!({"name": "Renamed", "tags": ["b", "c"]}))
        .await;
    assert_eq!((renamed.status, renamed.header("etag")), (200, Some("\"2\"")));
    let mut expected = made.json()["workflow"].clone();
    expected["name"] = json!("Renamed");
    expected["tags"] = json!(["b", "c"]);
    let mut found = renamed.json()["workflow"].clone();
    assert!(found["updatedAt"].as_str() > expected["updatedAt"].as_str());
    found["updatedAt"] = expected["updatedAt"].clone();
    assert_eq!(found, expected, "the definition is the same, so is the revision");

    let saved = world
        .patch(&path, &json!({"variables": {"limit": 4}, "description": null}))
        .await
        .json();
    let saved = &saved["workflow"];
    assert_eq!(
        (
            &saved["revision"],
            &saved["variables"],
            &saved["description"],
            &saved["name"]
        ),
        (&json!(2), &json!({"limit": 4}), &Value::Null, &json!("Renamed"))
    );
    assert_eq!(saved["nodes"], sent["nodes"]);
    // What is there already is no change, and nothing is told of it.
    for same in [json!({}), json!({"name": "Renamed", "nodes": sent["nodes"]})] {
        let answer = world.patch(&path, &same).await;
        assert_eq!((answer.status, answer.header("etag")), (200, Some("\"3\"")));
        assert_eq!(answer.json()["workflow"], *saved);
    }
    let told = world.get(&format!("{BASE}/audit?action=workflow.update")).await;
    assert_eq!(told.json()["entries"].as_array().unwrap().len(), 2);
}

pub(crate) async fn a_patch_is_checked_as_a_whole(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    // The edge that stays goes to a node that does not.
    let nodes = json!({"nodes": [{"id": "start", "type": "trigger"}]});
    let cases = [
        (nodes, "$.edges[0].target unknown_node"),
        (json!({"name": "ab"}), "$.name out_of_range"),
        (json!({"name": null}), "$.name missing"),
        (json!({"id": "wf_1"}), "$.id unknown_key"),
        (
            json!({"settings": {"lane": "nowhere"}}),
            "$.settings.lane unknown_lane",
        ),
        (
            json!({"templateId": "tpl_nowhere"}),
            "$.templateId unknown_template",
        ),
        (json!({"templateId": "wf_1"}), "$.templateId invalid_id"),
    ];
    for (patch, expected) in cases {
        assert_eq!(problems(&world.patch(&path, &patch).await), [expected], "{patch}");
    }
    let stays = world.get(&path).await;
    assert_eq!(
        (stays.header("etag"), &stays.json()["workflow"]["revision"]),
        (Some("\"1\""), &json!(1))
    );
    let linked = world
        .patch(&path, &json!({"templateId": "tpl_approvalflow"}))
        .await;
    assert_eq!(
        linked.json()["workflow"]["templateId"],
        "tpl_approvalflow",
        "{linked:?}"
    );
}

pub(crate) async fn a_patch_from_an_old_edition_is_412(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    let patch = async |tag: &str, name: &str| {
        let request = world.request(Method::PATCH, &path).header("if-match", tag);
        send(request.json(&json!({"name": name}))).await
    };
    assert_eq!(patch("\"1\"", "First").await.status, 200);
    patch("\"1\"", "Second").await.problem(412, "stale");
    patch("W/\"2\"", "Second").await.problem(412, "stale");
    assert_eq!(patch("\"9\", \"2\"", "Second").await.status, 200);
    assert_eq!(patch("*", "Third").await.status, 200);
    for malformed in ["7", "\"", ",", ""] {
        assert_eq!(
            problems(&patch(malformed, "Fourth").await),
            ["header If-Match invalid_header"],
            "{malformed}"
        );
    }
    for (method, verb) in [
        (Method::DELETE, ""),
        (Method::POST, "/toggle"),
        (Method::POST, "/pause"),
    ] {
        let request = world
            .request(method, &format!("{path}{verb}"))
            .header("if-match", "\"1\"");
        send(request).await.problem(412, "stale");
    }
    assert_eq!(world.get(&path).await.json()["workflow"]["name"], "Third");
}

pub(crate) async fn patches_at_once_are_all_made(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    let patches = [
        json!({"name": "Renamed"}),
        json!({"description": "Described"}),
        json!({"tags": ["tagged"]}),
    ];
    for answer in join_all(patches.iter().map(|patch| world.patch(&path, patch))).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let found = world.get(&path).await;
    let workflow = &found.json()["workflow"];
    assert_eq!(
        (
            &workflow["name"],
            &workflow["description"],
            &workflow["tags"],
            found.header("etag")
        ),
        (
            &json!("Renamed"),
            &json!("Described"),
            &json!(["tagged"]),
            Some("\"4\"")
        )
    );
}

pub(crate) async fn a_workflow_is_toggled_paused_and_resumed(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    let execute = format!("{path}/execute");
    let switch = async |verb: &str| {
        let answer = world.post(&format!("{path}/{verb}"), &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["workflow"].clone()
    };
    assert_eq!(switch("toggle").await["isActive"], false);
    world
        .post(&execute, &json!({}))
        .await
        .problem(409, "inactive-workflow");
    assert_eq!(switch("toggle").await["isActive"], true);

    let paused = switch("pause").await;
    assert!(paused["pausedAt"].is_string());
    assert_eq!(switch("pause").await, paused);
    let waiting = world.post(&execute, &json!({})).await;
    assert_eq!(waiting.status, 202);
    let shown = waiting.json()["execution"].clone();
    let looked = world
        .get(&format!("{BASE}/executions/{}", waiting.execution_id()))
        .await
        .json();
    for execution in [&shown, &looked["execution"]] {
        assert_eq!(
            (&execution["status"], &execution["waitsFor"], &execution["wakeAt"]),
            (&json!("WAITING"), &json!("paused"), &Value::Null)
        );
    }
    assert_eq!(switch("resume").await["pausedAt"], Value::Null);
    world.resume_paused().await;
    world.finish(&waiting.execution_id(), &[], completed()).await;
}

pub(crate) async fn a_deleted_workflow_is_gone_and_its_executions_stay(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    let execute = format!("{path}/execute");
    let mut ids = Vec::new();
    for body in [json!({}), json!({}), json!({"delayMs": 600_000}), json!({})] {
        ids.push(world.post(&execute, &body).await.execution_id());
    }
    world.finish(&ids[0], &[], completed()).await;
    world.claim(&ids[1]).await;
    let keyed = async || {
        send(
            world
                .request(Method::POST, &execute)
                .header("idempotency-key", "k"),
        )
        .await
    };
    ids.push(keyed().await.execution_id());

    let deleted = world.delete(&path).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    for (verb, body) in [
        ("/execute", json!({})),
        ("/toggle", json!({})),
        ("/publish", json!({})),
    ] {
        world
            .post(&format!("{path}{verb}"), &body)
            .await
            .problem(404, "not-found");
    }
    world.get(&path).await.problem(404, "not-found");
    world
        .get(&format!("{path}/revisions"))
        .await
        .problem(404, "not-found");
    world
        .patch(&path, &json!({"name": "Again"}))
        .await
        .problem(404, "not-found");
    world.delete(&path).await.problem(404, "not-found");
    let list = world.get(&format!("{BASE}/workflows")).await.json();
    assert_eq!(list, json!({"workflows": [], "total": 0}));
    // A known key is answered whatever has become of the workflow.
    assert_eq!(keyed().await.execution_id(), ids[4]);
    let statuses = join_all(ids.iter().map(|id| status(&world, id))).await;
    assert_eq!(
        statuses,
        ["COMPLETED", "CANCELLED", "CANCELLED", "CANCELLED", "CANCELLED"]
    );
    let replay = format!("{BASE}/executions/{}/replay", ids[0]);
    for revision in ["same", "newest"] {
        let problem = world
            .post(&replay, &json!({"revision": revision}))
            .await
            .problem(404, "not-found");
        assert!(
            problem["detail"].as_str().unwrap().contains("workflow"),
            "{problem}"
        );
    }
}

pub(crate) async fn every_revision_is_shown_page_by_page(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    for limit in 1..=4 {
        world.patch(&path, &json!({"variables": {"limit": limit}})).await;
    }
    let page = async |query: &str| world.get(&format!("{path}/revisions{query}")).await.json();
    let numbers = |page: &Value| -> Vec<i64> {
        let revisions = page["revisions"].as_array().unwrap();
        revisions
            .iter()
            .map(|one| one["revision"].as_i64().unwrap())
            .collect()
    };
    let first = page("?limit=2").await;
    assert_eq!((numbers(&first), &first["next"]), (vec![5, 4], &json!(4)));
    assert_eq!(first["revisions"][0]["variables"], json!({"limit": 4}));
    let rest = page("?before=4&limit=100").await;
    assert_eq!((numbers(&rest), &rest["next"]), (vec![3, 2, 1], &Value::Null));
    assert_eq!(numbers(&page("").await), [5, 4, 3, 2, 1]);
    for query in [
        "limit=0",
        "limit=101",
        "before=0",
        "before=x",
        "after=1",
        "limit=1&limit=2",
    ] {
        world
            .get(&format!("{path}/revisions?{query}"))
            .await
            .problem(422, "invalid");
    }
}

pub(crate) async fn a_page_of_large_revisions_ends_early(database: TestDatabase) {
    let limits = gristmill_api::Options {
        max_body_bytes: 4 * 1024 * 1024,
        ..options()
    };
    let world = World::with(database, limits).await;
    let path = world.workflow_path().await;
    for letter in ["a", "b", "c"] {
        let large = json!({"variables": {"text": letter.repeat(3 * 1024 * 1024)}});
        assert_eq!(world.patch(&path, &large).await.status, 200);
    }
    for (query, count, next) in [("?limit=100", 2, json!(3)), ("?before=3", 2, json!(null))] {
        let page = world.get(&format!("{path}/revisions{query}")).await.json();
        let revisions = page["revisions"].as_array().unwrap().len();
        assert_eq!((revisions, &page["next"]), (count, &next), "{query}");
    }
}

pub(crate) async fn a_definition_is_validated_and_nothing_is_stored(database: TestDatabase) {
    let world = World::on(database).await;
    let validate = async |body: &Value| {
        let answer = world.post(&format!("{BASE}/workflows/validate"), body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let good = validate(&workflow()).await;
    assert_eq!(good, json!({"valid": true, "problems": []}));
    let mut nameless = workflow();
    nameless.as_object_mut().unwrap().remove("name");
    assert_eq!(validate(&nameless).await["valid"], true);
    let bad = validate(&json!({
        "name": "ab", "nodes": [{"id": "a", "type": "teleport"}], "edges": [{"source": "a", "target": "b"}],
    }))
    .await;
    assert_eq!(bad["valid"], false);
    let codes: Vec<_> = bad["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes.len(), 4, "{bad}");
    assert!(
        codes.contains(&"unknown_kind") && codes.contains(&"no_trigger"),
        "{bad}"
    );
    let elsewhere = validate(&json!({
        "nodes": [{"id": "a", "type": "trigger"}], "templateId": "tpl_nowhere",
    }))
    .await;
    assert_eq!(elsewhere["problems"][0]["code"], "unknown_template");
    assert_eq!(world.get(&format!("{BASE}/workflows")).await.json()["total"], 0);
}

pub(crate) async fn a_workflow_is_shown_with_what_belongs_to_it(database: TestDatabase) {
    let world = World::on(database).await;
    let mut sent = workflow();
    sent["templateId"] = json!("tpl_approvalflow");
    let path = place(&world.post(&format!("{BASE}/workflows"), &sent).await);
    let mut ids = Vec::new();
    for _ in 0..11 {
        ids.push(
            world
                .post(&format!("{path}/execute"), &json!({}))
                .await
                .execution_id(),
        );
    }
    world.finish(&ids[10], &[], completed()).await;
    world.count().await;
    // What happens elsewhere is not shown here.
    world.execution().await;
    let shown = world.get(&path).await.json();
    let shown = &shown["workflow"];
    assert_eq!(
        shown["template"],
        json!({"id": "tpl_approvalflow", "name": "Approval flow", "category": "operations"})
    );
    let creator = &shown["creator"];
    assert_eq!(
        (&creator["name"], &creator["avatarUrl"]),
        (&json!("Miller"), &Value::Null)
    );
    assert!(creator["id"].as_str().unwrap().starts_with("user_"));
    assert!(creator["email"].as_str().unwrap().ends_with("@example.com"));
    let last: Vec<_> = shown["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|execution| execution["id"].as_str().unwrap().to_owned())
        .collect();
    let newest: Vec<_> = ids.iter().rev().take(10).map(ToString::to_string).collect();
    assert_eq!(last, newest);
    let first = &shown["executions"][0];
    assert_eq!(
        (&first["status"], &first["revision"]),
        (&json!("COMPLETED"), &json!(1))
    );
    assert!(first["duration"].is_i64());
    assert_eq!(shown["executionCount"], 1);
    assert_eq!(shown["lastExecutedAt"], first["completedAt"]);
}

pub(crate) async fn another_organizations_workflow_takes_no_orders(database: TestDatabase) {
    let mut world = World::on(database).await;
    let path = world.workflow_path().await;
    let before = world.get(&path).await;
    let stranger = add_organization(&world.store).await.1;
    let owner = std::mem::replace(&mut world.key, stranger);
    for verb in ["toggle", "pause", "resume", "publish"] {
        world
            .post(&format!("{path}/{verb}"), &json!({}))
            .await
            .problem(404, "not-found");
    }
    world
        .patch(&path, &json!({"name": "Mine"}))
        .await
        .problem(404, "not-found");
    world.delete(&path).await.problem(404, "not-found");
    world
        .get(&format!("{path}/revisions"))
        .await
        .problem(404, "not-found");
    assert_eq!(world.get(&format!("{BASE}/workflows")).await.json()["total"], 0);
    world.key = owner;
    let after = world.get(&path).await;
    assert_eq!(
        (after.header("etag"), after.json()),
        (before.header("etag"), before.json())
    );
}

pub(crate) async fn only_those_who_manage_switch_and_delete(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.key = add_member(&world.store, "GROWTH", "USER").await.1;
    let path = world.workflow_path().await;
    for verb in ["toggle", "pause", "resume"] {
        world
            .post(&format!("{path}/{verb}"), &json!({}))
            .await
            .problem(403, "forbidden");
    }
    world.delete(&path).await.problem(403, "forbidden");
    assert_eq!(world.patch(&path, &json!({"name": "Renamed"})).await.status, 200);
    assert_eq!(world.get(&path).await.header("etag"), Some("\"2\""));
}

fn place(made: &Answer) -> String {
    made.header("location")
        .unwrap_or_else(|| panic!("{made:?}"))
        .to_owned()
}

fn problems(answer: &Answer) -> Vec<String> {
    let problems = answer.problems();
    problems
        .iter()
        .map(|(path, code)| format!("{path} {code}"))
        .collect()
}

async fn status(world: &World, id: &ExecutionId) -> String {
    let shown = world.get(&format!("{BASE}/executions/{id}")).await.json();
    shown["execution"]["status"].as_str().unwrap().to_owned()
}
