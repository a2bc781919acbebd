//! Creation of a workflow: storing it and reading it back.

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{BASE, World, send, workflow};

pub(crate) async fn a_workflow_is_answered_with_its_place(database: TestDatabase) {
    let world = World::on(database).await;
    let mut sent = workflow();
    sent["description"] = json!("Shapes n into m.\nNothing else.");
    sent["tags"] = json!(["Tag", "ß"]);
    sent["version"] = json!("2.1");
    sent["variables"] = json!({"limit": 3});
    sent["settings"] = json!({"maxParallel": 2});
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let mut body = answer.json();
    let id = body["workflow"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.header("location"),
        Some(&*format!("{BASE}/workflows/{id}"))
    );
    let read = world.get(&format!("{BASE}/workflows/{id}")).await.json();
    for (key, value) in body["workflow"].as_object().unwrap() {
        assert_eq!(&read["workflow"][key], value, "{key}");
    }

    let workflow = body["workflow"].as_object_mut().unwrap();
    assert!(workflow["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(workflow["createdAt"], workflow["updatedAt"]);
    for key in ["id", "createdAt", "updatedAt"] {
        workflow[key] = json!("…");
    }
    for (key, value) in sent.as_object().unwrap() {
        assert_eq!(&workflow[key], value, "{key}");
    }
    let keys: Vec<_> = workflow.keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "id name description version tags isActive pausedAt templateId revision nodes edges variables settings createdAt updatedAt"
    );
    assert_eq!(
        (&workflow["revision"], &workflow["isActive"]),
        (&json!(1), &json!(true))
    );
}

pub(crate) async fn a_definition_is_given_back_byte_for_byte(database: TestDatabase) {
    let world = World::on(database).await;
    let nodes = r#"[ {"type":"trigger", "id":"a","position":{"x":1.0,"y":-0, "z":1e2},
        "big":12345678901234567890123, "big":0.10, "text":"\u00e9\/\ud83d\ude00é" }
    ]"#;
    let (edges, variables) = ("[\n\t]", r#"{ "b":1, "a":[ ] }"#);
    let body = format!(r#"{{"edges":{edges},"name":"Bytes", "variables" : {variables} ,"nodes":{nodes}}}"#);
    let request = world.request(Method::POST, &format!("{BASE}/workflows"));
    let made = send(
        request
            .header("content-type", "application/json; charset=utf-8")
            .body(body),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["workflow"]["id"].as_str().unwrap().to_owned();
    let read = world.get(&format!("{BASE}/workflows/{id}")).await;
    for answer in [made, read] {
        let wanted = format!(r#""nodes":{nodes},"edges":{edges},"variables":{variables},"settings":{{}},"#);
        assert!(answer.text.contains(&wanted), "{}", answer.text);
    }
}

pub(crate) async fn what_is_left_out_has_defaults(database: TestDatabase) {
    let world = World::on(database).await;
    let sent = json!({
        "name": "ßüé", "nodes": [{"id": "a", "type": "trigger"}],
        "edges": null, "description": null, "tags": null, "isActive": null, "version": null,
    });
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let workflow = &answer.json()["workflow"];
    let expected = json!({
        "description": null, "version": "1.0.0", "tags": [], "isActive": true, "edges": [], "variables": {}, "settings": {},
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&workflow[key], value, "{key}");
    }
}

pub(crate) async fn every_problem_of_a_definition_is_answered_with_its_path(database: TestDatabase) {
    let world = World::on(database).await;
    let start = json!({"id": "start", "type": "trigger"});
    let node = |id: &str, kind: &str, data: Value| json!({"id": id, "type": kind, "data": data});
    let shape = |id: &str| node(id, "transform", json!({"set": {}}));
    let edge = |source: &str, target: &str| json!({"source": source, "target": target});
    let cases = [
        (json!([]), json!([]), "$.nodes no_nodes"),
        (json!([shape("a")]), json!([]), "$.nodes no_trigger"),
        (
            json!([start, shape("a"), shape("b")]),
            json!([edge("start", "a"), edge("a", "b"), edge("b", "a")]),
            "$.edges cycle",
        ),
        (
            json!([start, shape("start")]),
            json!([]),
            "$.nodes[1].id duplicate_id",
        ),
        (
            json!([start]),
            json!([edge("start", "nowhere")]),
            "$.edges[0].target unknown_node",
        ),
        (
            json!([start]),
            json!([edge("nowhere", "start")]),
            "$.edges[0].source unknown_node",
        ),
        (
            json!([start, node("a", "teleport", json!({}))]),
            json!([]),
            "$.nodes[1].type unknown_kind",
        ),
        (
            json!([start, node("a", "transform", json!({"set": {}, "sett": 1}))]),
            json!([]),
            "$.nodes[1].data.sett unknown_key",
        ),
        (
            json!([start, node("a", "transform", json!({"set": 7}))]),
            json!([]),
            "$.nodes[1].data.set wrong_type",
        ),
        (
            json!([start, node("a", "transform", json!({"set": {"x": "{{ 1 + }}"}}))]),
            json!([]),
            "$.nodes[1].data.set.x invalid_template",
        ),
        (json!([start, 7]), json!([]), "$.nodes[1] wrong_type"),
    ];
    for (nodes, edges, expected) in cases {
        let answer = world
            .post(
                &format!("{BASE}/workflows"),
                &json!({"name": "Bad", "nodes": nodes, "edges": edges}),
            )
            .await;
        let found: Vec<_> = answer
            .problems()
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected], "{answer:?}");
        // A cycle is told with the nodes that are on it.
        assert!(
            !expected.contains("cycle") || answer.text.contains("a → b → a"),
            "{answer:?}"
        );
    }
}

pub(crate) async fn problems_of_fields_and_definition_are_answered_together(database: TestDatabase) {
    let world = World::on(database).await;
    let sent = json!({
        "name": "ab", "description": "x".repeat(1_001), "version": "", "tags": ["ok", 7, ""], "isActive": "yes",
        "nodes": [{"id": "a", "type": "teleport"}], "edges": [{"source": "a", "target": "b"}],
        "settings": {"lane": "nowhere", "colour": "red"}, "odd key": 1,
    });
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    let mut found: Vec<_> = answer
        .problems()
        .iter()
        .map(|(path, code)| format!("{path} {code}"))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "$.description out_of_range",
            "$.edges[0].target unknown_node",
            "$.isActive wrong_type",
            "$.name out_of_range",
            "$.nodes no_trigger",
            "$.nodes[0].type unknown_kind",
            "$.settings.colour unknown_key",
            "$.settings.lane unknown_lane",
            "$.tags[1] wrong_type",
            "$.tags[2] out_of_range",
            "$.version out_of_range",
            r#"$["odd key"] unknown_key"#,
        ]
    );
    for (sent, expected) in [
        (json!([]), "$ wrong_type"),
        (
            json!({"name": "Many", "tags": vec![""; 21], "nodes": [{"id": "a", "type": "trigger"}]}),
            "$.tags out_of_range",
        ),
        (
            json!({"nodes": [{"id": "a", "type": "trigger"}]}),
            "$.name missing",
        ),
    ] {
        let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
        let found: Vec<_> = answer
            .problems()
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected]);
    }
}

pub(crate) async fn a_name_has_nothing_that_a_terminal_would_obey(database: TestDatabase) {
    let world = World::on(database).await;
    let workflows = format!("{BASE}/workflows");
    for (key, value, path) in [
        ("name", json!("\u{1b}[2Jgone"), "$.name"),
        ("name", json!("two\nlines"), "$.name"),
        ("description", json!("a\u{9b}1m"), "$.description"),
        ("version", json!("1\t"), "$.version"),
        ("tags", json!(["plain", "\r"]), "$.tags[1]"),
        // Lists could not be asked for it.
        ("tags", json!(["a,b"]), "$.tags[0]"),
    ] {
        let mut sent = workflow();
        sent[key] = value;
        let expected = [(path.to_owned(), "invalid_character".to_owned())];
        assert_eq!(world.post(&workflows, &sent).await.problems(), expected);
        let validated = world.post(&format!("{workflows}/validate"), &sent).await.json();
        assert_eq!(validated["problems"][0]["path"], path, "{validated}");
    }
    let mut sent = workflow();
    sent["description"] = json!("Lines\n\tand tabs\r\n");
    assert_eq!(world.post(&workflows, &sent).await.status, 201);
    let path = world.workflow_path().await;
    let publish = format!("{path}/publish");
    let category = json!({"category": "a\u{7}"});
    assert_eq!(
        world.post(&publish, &category).await.problems()[0].0,
        "$.category"
    );
}

/// As an earlier version has taken it.
pub(crate) async fn a_name_that_is_stored_is_no_reason_to_refuse_another_change(database: TestDatabase) {
    let world = World::on(database).await;
    let path = world.workflow_path().await;
    let id = path.rsplit('/').next().unwrap();
    let database = world.database.as_ref().unwrap();
    let url = database.url().to_owned();
    if url.starts_with("sqlite:") {
        return;
    }
    let client = gristmill_store::connect_postgres(&gristmill_store::Options::new(&url))
        .await
        .unwrap();
    let update = format!(r#"UPDATE workflows SET name = E'bell\u0007', tags = '["a,b"]' WHERE id = '{id}'"#);
    client.batch_execute(&update).await.unwrap();
    let changed = world.patch(&path, &json!({"description": "New"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let whole = json!({"name": "bell\u{7}", "tags": ["a,b"], "description": "Newer"});
    assert_eq!(world.patch(&path, &whole).await.status, 200);
    let other = world.patch(&path, &json!({"name": "bells\u{7}"})).await;
    assert_eq!(other.problems()[0].0, "$.name");
    let published = world.post(&format!("{path}/publish"), &json!({})).await;
    assert_eq!(published.problems()[0].0, "$.name");
}

pub(crate) async fn a_character_that_the_database_cannot_keep_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    for (key, value, path) in [
        ("name", json!("a\0bc"), "$.name"),
        ("description", json!("\0"), "$.description"),
        ("version", json!("1\0"), "$.version"),
        ("tags", json!(["\0"]), "$.tags[0]"),
    ] {
        let mut sent = workflow();
        sent[key] = value;
        let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
        assert_eq!(
            answer.problems(),
            [(path.to_owned(), "invalid_character".to_owned())]
        );
    }
}

pub(crate) async fn a_zero_character_inside_a_document_is_kept(database: TestDatabase) {
    let world = World::on(database).await;
    let mut sent = workflow();
    sent["variables"] = json!({"zero": "a\0b"});
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["workflow"]["id"].as_str().unwrap().to_owned();
    let read = world.get(&format!("{BASE}/workflows/{id}")).await.json();
    assert_eq!(read["workflow"]["variables"]["zero"], "a\0b");
}
