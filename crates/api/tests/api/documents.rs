//! Documents: what describes the API, and the page that shows it.

use std::collections::{BTreeSet, HashSet};

use gristmill_testkit::TestDatabase;
use serde_json::Value;

use crate::described::{DOCUMENT, operations, validator};
use crate::world::World;

#[test]
fn the_document_has_every_route() {
    let routes: BTreeSet<_> = gristmill_api::routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let described: BTreeSet<_> = operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    assert_eq!(routes, described);
}

#[test]
fn the_document_is_complete() {
    assert!(DOCUMENT["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = HashSet::new();
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        let description = operation.description;
        assert!(description["summary"].is_string(), "{name} has no summary");
        let id = description["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} names two operations");
        let parameters = description["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<_> = parameters.collect();
        for parameter in &parameters {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
            assert!(parameter["schema"].is_object(), "{name}: {parameter}");
        }
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), operation.path.matches('{').count(), "{name}");
        let responses = description["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
        for (status, response) in responses {
            assert!(
                !response["description"].as_str().unwrap().is_empty(),
                "{name} {status}"
            );
        }
        if operation.path.starts_with("/api/") {
            assert!(description["security"].is_array(), "{name} needs a key");
        }
    }
}

#[test]
fn every_reference_resolves_and_every_example_is_valid() {
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    let mut references = Vec::new();
    find_references(&DOCUMENT, &mut references);
    for reference in references {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{reference}");
    }
    let mut examples = 0;
    for (name, schema) in schemas {
        let several = schema["examples"].as_array().into_iter().flatten();
        for example in several.chain(schema.get("example")) {
            let problems: Vec<_> = validator(schema)
                .iter_errors(example)
                .map(|error| error.to_string())
                .collect();
            assert!(problems.is_empty(), "{name}: {problems:?}");
            examples += 1;
        }
    }
    assert!(examples > 3);
}

#[test]
fn every_successful_answer_has_an_example_that_is_valid() {
    for operation in operations() {
        for (status, response) in operation.description["responses"].as_object().unwrap() {
            let content = &response["content"]["application/json"];
            if !status.starts_with('2') || content.is_null() {
                continue;
            }
            let name = format!("{} {} {status}", operation.method, operation.path);
            let problems: Vec<_> = validator(&content["schema"])
                .iter_errors(&content["example"])
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(problems.is_empty(), "{name}: {problems:?}");
        }
    }
}

#[test]
fn every_request_body_has_an_example() {
    for operation in operations() {
        let content = &operation.description["requestBody"]["content"]["application/json"];
        let schema = content["schema"]["$ref"].as_str().map(|reference| {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            &DOCUMENT["components"]["schemas"][name]
        });
        let found = schema.is_some_and(|schema| schema["example"].is_object());
        let name = format!("{} {}", operation.method, operation.path);
        assert!(
            content.is_null() || content["example"].is_object() || found,
            "{name}"
        );
    }
}

fn find_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| find_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served_and_the_page_asks_nobody_else() {
    let world = World::on(TestDatabase::sqlite().await).await;
    let document = world.get("/openapi.json").await;
    assert_eq!((document.status, document.json()), (200, DOCUMENT.clone()));
    let page = world.get("/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"),
        "{policy}"
    );
    for elsewhere in ["http://", "https://", "src=", "@import", " url("] {
        assert!(!page.text.contains(elsewhere), "the page has {elsewhere}");
    }
    assert!(page.text.contains("openapi.json"));
}
