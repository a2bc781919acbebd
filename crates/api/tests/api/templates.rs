//! Templates: used, published, taken back.

use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, workflow};

pub(crate) async fn a_template_becomes_a_workflow(database: TestDatabase) {
    let world = World::on(database).await;
    let path = format!("{BASE}/templates/tpl_approvalflow");
    let template = world.get(&path).await.json()["template"].clone();
    let plain = world.post(&format!("{path}/instantiate"), &json!({})).await;
    assert_eq!(plain.status, 201, "{plain:?}");
    let made = plain.json()["workflow"].clone();
    for key in [
        "name",
        "description",
        "tags",
        "nodes",
        "edges",
        "variables",
        "settings",
    ] {
        assert_eq!(made[key], template[key], "{key}");
    }
    assert_eq!(
        (&made["templateId"], &made["isActive"]),
        (&template["id"], &json!(true))
    );
    let shown = world.get(plain.header("location").unwrap()).await;
    assert_eq!(shown.header("etag"), Some("\"1\""));
    assert_eq!(shown.json()["workflow"]["template"]["category"], "operations");

    let own = json!({"name": "Ours", "variables": {"approveUpTo": 5, "extra": true}, "tags": null, "isActive": false});
    let made = world.post(&format!("{path}/instantiate"), &own).await.json()["workflow"].clone();
    assert_eq!(
        made["variables"],
        json!({"approveUpTo": 5, "notifyUrl": "https://notify.example.com", "extra": true})
    );
    assert_eq!(
        (&made["name"], &made["isActive"], &made["tags"]),
        (&json!("Ours"), &json!(false), &json!([]))
    );
    for (body, expected) in [
        (json!({"variables": []}), "$.variables wrong_type"),
        (json!({"nodes": []}), "$.nodes unknown_key"),
        (json!({"name": "ab"}), "$.name out_of_range"),
    ] {
        let problems = world.post(&format!("{path}/instantiate"), &body).await.problems();
        let found: Vec<_> = problems
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected]);
    }
    world
        .post(&format!("{BASE}/templates/tpl_nowhere/instantiate"), &json!({}))
        .await
        .problem(404, "not-found");
}

pub(crate) async fn a_workflow_becomes_a_template_for_its_own_organization_or_for_all(
    database: TestDatabase,
) {
    let mut world = World::on(database).await;
    let path = world.workflow_path().await;
    let stranger = add_organization(&world.store).await.1;
    for is_shared in [false, true] {
        let body = json!({"name": "Shaping", "category": "shapes", "isShared": is_shared});
        let published = world.post(&format!("{path}/publish"), &body).await;
        assert_eq!(published.status, 201, "{published:?}");
        let place = published.header("location").unwrap().to_owned();
        let template = published.json()["template"].clone();
        assert_eq!(
            (&template["isShared"], &template["isOwn"]),
            (&json!(is_shared), &json!(true))
        );
        assert_eq!(template["nodes"], workflow()["nodes"]);
        assert_eq!(world.get(&place).await.json()["template"], template);

        let owner = std::mem::replace(&mut world.key, stranger.clone());
        let seen = world.get(&place).await;
        let used = world.post(&format!("{place}/instantiate"), &json!({})).await;
        if is_shared {
            assert_eq!(seen.json()["template"]["isOwn"], false);
            assert_eq!(used.status, 201, "{used:?}");
        } else {
            seen.problem(404, "not-found");
            used.problem(404, "not-found");
        }
        world.delete(&place).await.problem(404, "not-found");
        world.key = owner;

        let made = world.post(&format!("{place}/instantiate"), &json!({})).await;
        assert_eq!(world.delete(&place).await.status, 204);
        world.get(&place).await.problem(404, "not-found");
        // What was made from it stays, and can be changed.
        let made = made.header("location").unwrap();
        assert_eq!(world.get(made).await.json()["workflow"]["template"], Value::Null);
        assert_eq!(world.patch(made, &json!({"name": "Renamed"})).await.status, 200);
    }
    world
        .delete(&format!("{BASE}/templates/tpl_approvalflow"))
        .await
        .problem(404, "not-found");
    // Without a body, it is what the workflow is.
    let bare = crate::world::send(world.request(reqwest::Method::POST, &format!("{path}/publish"))).await;
    let template = bare.json()["template"].clone();
    assert_eq!(
        (&template["name"], &template["category"], &template["isShared"]),
        (&json!("Small"), &json!("custom"), &json!(false))
    );
}

pub(crate) async fn a_shared_template_names_no_workflow_of_its_organization(database: TestDatabase) {
    let world = World::on(database).await;
    let other = world.workflow().await;
    let mut sent = workflow();
    sent["settings"] = json!({"onFailure": other});
    sent["nodes"][1] = json!({"id": "shape", "type": "subWorkflow", "data": {"workflowId": other}});
    let made = world.post(&format!("{BASE}/workflows"), &sent).await;
    let publish = format!("{}/publish", made.header("location").unwrap());
    let refused = world.post(&publish, &json!({"isShared": true})).await.problems();
    let found: Vec<_> = refused
        .iter()
        .map(|(path, code)| format!("{path} {code}"))
        .collect();
    assert_eq!(
        found,
        [
            "$.settings.onFailure not_portable",
            "$.nodes[1].data.workflowId not_portable"
        ]
    );
    assert_eq!(world.post(&publish, &json!({})).await.status, 201);
    for (body, expected) in [
        (json!({"name": "ab"}), "$.name out_of_range"),
        (json!({"category": ""}), "$.category out_of_range"),
        (json!({"isShared": "yes"}), "$.isShared wrong_type"),
        (json!({"shared": true}), "$.shared unknown_key"),
    ] {
        let problems = world.post(&publish, &body).await.problems();
        let found: Vec<_> = problems
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected]);
    }
}

pub(crate) async fn templates_are_listed_by_category_and_search(database: TestDatabase) {
    let world = World::on(database).await;
    let list = async |query: &str| {
        let answer = world.get(&format!("{BASE}/templates?{query}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let all = list("").await;
    assert_eq!(all["total"], 7);
    assert!(
        all["templates"][0].get("nodes").is_none(),
        "a list has no definitions"
    );
    let names = |body: &Value| -> Vec<String> {
        let templates = body["templates"].as_array().unwrap();
        templates
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&list("category=operations").await),
        ["Approval flow", "Nightly report"]
    );
    assert_eq!(names(&list("search=TICKET").await), ["Support triage"]);
    assert_eq!(names(&list("category=sales&search=%25").await), [""; 0]);
    let page = list("limit=2&offset=1").await;
    assert_eq!((names(&page).len(), &page["total"]), (2, &json!(7)));
    for query in ["limit=0", "offset=-1", "category=", "tag=x", "search=%00"] {
        world
            .get(&format!("{BASE}/templates?{query}"))
            .await
            .problem(422, "invalid");
    }
}
