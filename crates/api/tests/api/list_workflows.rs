//! List of workflows: its pages, filters and orders.

use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, completed, workflow};

pub(crate) async fn a_list_is_filtered_by_everything_at_once(database: TestDatabase) {
    let world = World::on(database).await;
    let made = [
        add(
            &world,
            json!({"name": "One", "tags": ["x", "a b"], "isActive": false}),
        )
        .await,
        add(
            &world,
            json!({"name": "Two", "tags": ["y"], "templateId": "tpl_leadqualification"}),
        )
        .await,
        add(
            &world,
            json!({"name": "Three", "description": "one of them", "tags": ["x", "y"]}),
        )
        .await,
    ];
    let times: Vec<_> = made
        .iter()
        .map(|workflow| workflow["createdAt"].as_str().unwrap())
        .collect();
    let after_first = format!("createdFrom={}", times[1]);
    let first_only = format!("createdTo={}", times[0]);
    let middle = format!("createdFrom={0}&createdTo={0}", times[1]);
    let wanted: [(&str, &[&str]); 14] = [
        ("", &["Three", "Two", "One"]),
        ("isActive=true", &["Three", "Two"]),
        ("isActive=false", &["One"]),
        ("tags=x", &["Three", "One"]),
        ("tags=x,y", &["Three", "Two", "One"]),
        ("tags=y&tags=z", &["Three", "Two"]),
        ("tags=z", &[]),
        ("templateId=tpl_leadqualification", &["Two"]),
        ("search=one", &["Three", "One"]),
        (&after_first, &["Three", "Two"]),
        (&first_only, &["One"]),
        (&middle, &["Two"]),
        ("isActive=true&tags=x&search=THEM", &["Three"]),
        ("isActive=false&tags=y", &[]),
    ];
    for (query, expected) in wanted {
        let (names, total) = names(&world, query).await;
        assert_eq!(names, expected, "{query}");
        assert_eq!(total, expected.len() as i64, "{query}");
    }
    let listed = world.get(&format!("{BASE}/workflows?limit=1")).await.json();
    let first = listed["workflows"][0].as_object().unwrap();
    let keys: Vec<_> = first.keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "id name description version tags isActive pausedAt revision lane templateId creator executionCount \
         lastExecutedAt createdAt updatedAt"
    );
    assert_eq!(first["creator"]["name"], "Miller");
}

pub(crate) async fn a_search_takes_any_case_and_no_wildcards(database: TestDatabase) {
    let world = World::on(database).await;
    add(&world, json!({"name": "Überweisung 100%"})).await;
    add(&world, json!({"name": "Plain", "description": "ÄRGER_LICH!"})).await;
    for (search, expected) in [
        ("überWEISUNG", 1),
        ("100%25", 1),
        ("%25", 1),
        ("_", 1),
        ("r_l", 1),
        ("ärger_lich!", 1),
        ("1_0", 0),
        ("P%25n", 0),
        ("%27%3B--", 0),
        ("%5C", 0),
        ("e", 2),
    ] {
        assert_eq!(
            names(&world, &format!("search={search}")).await.1,
            expected,
            "{search}"
        );
    }
    // What was changed is found by what it is now.
    let path = format!("{BASE}/workflows/{}", id_of(&world, "Plain").await);
    world.patch(&path, &json!({"name": "Renamed"})).await;
    assert_eq!(names(&world, "search=plain").await.1, 0);
    assert_eq!(names(&world, "search=renaMED").await.1, 1);
}

pub(crate) async fn a_list_is_sorted_and_paged(database: TestDatabase) {
    let world = World::on(database).await;
    for name in ["Beta", "Alpha", "Gamma"] {
        add(&world, json!({"name": name})).await;
    }
    let path = format!("{BASE}/workflows/{}", id_of(&world, "Beta").await);
    let execution = world
        .post(&format!("{path}/execute"), &json!({}))
        .await
        .execution_id();
    world.finish(&execution, &[], completed()).await;
    world.count().await;
    world.patch(&path, &json!({"version": "2"})).await;
    let wanted: [(&str, &[&str]); 9] = [
        ("sortOrder=asc", &["Beta", "Alpha", "Gamma"]),
        ("sortBy=created_at", &["Gamma", "Alpha", "Beta"]),
        ("sortBy=updated_at", &["Beta", "Gamma", "Alpha"]),
        ("sortBy=name&sortOrder=asc", &["Alpha", "Beta", "Gamma"]),
        ("sortBy=name", &["Gamma", "Beta", "Alpha"]),
        ("sortBy=executionCount", &["Beta", "Gamma", "Alpha"]),
        ("sortBy=executionCount&sortOrder=asc", &["Alpha", "Gamma", "Beta"]),
        ("limit=1&offset=1", &["Alpha"]),
        ("offset=9223372036854775807", &[]),
    ];
    for (query, expected) in wanted {
        let (names, total) = names(&world, query).await;
        assert_eq!(names, expected, "{query}");
        assert_eq!(total, 3, "{query}");
    }
    let listed = world.get(&format!("{BASE}/workflows?search=beta")).await.json();
    assert_eq!(listed["workflows"][0]["executionCount"], 1);
    assert!(listed["workflows"][0]["lastExecutedAt"].is_string());
}

pub(crate) async fn a_bad_parameter_is_422_and_named(database: TestDatabase) {
    let world = World::on(database).await;
    for (query, expected) in [
        ("isActive=yes", "query isActive wrong_type"),
        ("isActive=", "query isActive wrong_type"),
        ("tags=a,,b", "query tags out_of_range"),
        ("tags=%00", "query tags out_of_range"),
        (&"tags=,&".repeat(51), "query tags out_of_range"),
        ("templateId=wf_1", "query templateId invalid_id"),
        ("search=", "query search out_of_range"),
        ("search=a%00b", "query search out_of_range"),
        ("createdFrom=yesterday", "query createdFrom wrong_type"),
        ("createdTo=2030-01-31", "query createdTo wrong_type"),
        ("limit=0", "query limit out_of_range"),
        ("limit=101", "query limit out_of_range"),
        ("limit=1&limit=2", "query limit repeated"),
        ("offset=-1", "query offset out_of_range"),
        ("offset=9223372036854775808", "query offset out_of_range"),
        ("sortBy=id", "query sortBy unknown_value"),
        ("sortOrder=up", "query sortOrder unknown_value"),
        ("page=2", "query page unknown_parameter"),
        ("isactive=true", "query isactive unknown_parameter"),
    ] {
        let problems = world.get(&format!("{BASE}/workflows?{query}")).await.problems();
        let found: Vec<_> = problems
            .iter()
            .map(|(path, code)| format!("{path} {code}"))
            .collect();
        assert_eq!(found, [expected], "{query}");
    }
    let all = world
        .get(&format!("{BASE}/workflows?limit=x&sortBy=y&z=1"))
        .await
        .problems();
    assert_eq!(all.len(), 3, "every problem at once");
}

async fn add(world: &World, change: Value) -> Value {
    let mut sent = workflow();
    for (key, value) in change.as_object().unwrap() {
        sent[key] = value.clone();
    }
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["workflow"].clone()
}

async fn names(world: &World, query: &str) -> (Vec<String>, i64) {
    let answer = world.get(&format!("{BASE}/workflows?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let names = body["workflows"].as_array().unwrap().iter();
    let names = names.map(|workflow| workflow["name"].as_str().unwrap().to_owned());
    (names.collect(), body["total"].as_i64().unwrap())
}

async fn id_of(world: &World, name: &str) -> String {
    let body = world.get(&format!("{BASE}/workflows?search={name}")).await.json();
    body["workflows"][0]["id"].as_str().unwrap().to_owned()
}
