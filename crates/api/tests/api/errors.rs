//! Errors: each way in which a request can be wrong.

use std::time::Duration;

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{BASE, World, execute_path, options, send, workflow};

async fn post_text(
    world: &World,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> crate::world::Answer {
    let request = world.request(Method::POST, &format!("{BASE}/workflows"));
    send(request.header("content-type", content_type).body(body)).await
}

pub(crate) async fn malformed_json_is_400(database: TestDatabase) {
    let world = World::on(database).await;
    for body in [
        "",
        "{",
        "{\"name\": }",
        "\u{1}",
        "{} {}",
        r#"{"name":"\ud800"}"#,
        r#"{"n":1e999}"#,
    ] {
        let body = post_text(&world, "application/json", body)
            .await
            .problem(400, "malformed-json");
        assert!(body["detail"].as_str().unwrap().contains("line 1"), "{body}");
    }
    post_text(&world, "application/json", vec![b'"', 0xff, b'"'])
        .await
        .problem(400, "malformed-json");
}

pub(crate) async fn a_document_that_nests_too_deeply_is_400(database: TestDatabase) {
    let world = World::on(database).await;
    let body = format!(r#"{{"nodes":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    post_text(&world, "application/json", body)
        .await
        .problem(400, "malformed-json");
}

pub(crate) async fn another_content_type_is_415(database: TestDatabase) {
    let world = World::on(database).await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        post_text(&world, content_type, "{}")
            .await
            .problem(415, "unsupported-media-type");
    }
    // One that is built on JSON is read as JSON.
    post_text(&world, "application/LD+json", "{")
        .await
        .problem(400, "malformed-json");
}

pub(crate) async fn a_body_that_is_too_large_is_413(database: TestDatabase) {
    let world = World::on(database).await;
    let body = post_text(&world, "application/json", "x".repeat(64 * 1024 + 1))
        .await
        .problem(413, "body-too-large");
    assert!(body["detail"].as_str().unwrap().contains("65536"), "{body}");
    // At the limit it is read, and found to be no JSON.
    post_text(&world, "application/json", "x".repeat(64 * 1024))
        .await
        .problem(400, "malformed-json");
}

pub(crate) async fn an_unknown_route_is_404_and_a_wrong_method_405(database: TestDatabase) {
    let world = World::on(database).await;
    for path in [
        "/",
        "/api/v1/ai-hub",
        "/api/v1/ai-hub/workflows/",
        "/healthz/x",
        "/%ff",
    ] {
        world.get(path).await.problem(404, "unknown-route");
    }
    let answer = send(world.request(Method::DELETE, &format!("{BASE}/workflows"))).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
}

pub(crate) async fn a_query_that_asks_for_something_else_is_422(database: TestDatabase) {
    let world = World::on(database).await;
    let path = format!("{BASE}/executions/{}/journal", world.execution().await);
    for query in [
        "limit=0",
        "limit=1001",
        "limit=many",
        "after=-1",
        "page=2",
        "limit=1&limit=2",
    ] {
        let problems = world.get(&format!("{path}?{query}")).await.problems();
        let name = query.split('=').next().unwrap();
        assert_eq!(problems[0].0, format!("query {name}"), "{query}");
    }
    // Where there are no parameters, each is one too many.
    let workflow = world.workflow_path().await;
    for (method, path) in [
        ("POST", format!("{workflow}/execute")),
        ("POST", format!("{workflow}/executions:batch")),
        ("GET", workflow),
        ("GET", path.replace("/journal", "/events")),
        ("DELETE", path.replace("/journal", "")),
        ("GET", format!("{BASE}/usage")),
    ] {
        let request = world.request(method.parse().unwrap(), &format!("{path}?wait=30"));
        let problems = send(request.json(&json!({}))).await.problems();
        let expected = ("query wait".to_owned(), "unknown_parameter".to_owned());
        assert_eq!(problems, [expected], "{method} {path}");
    }
    let probe = world.bare_request(Method::GET, "/healthz?from=monitor");
    assert_eq!(send(probe).await.status, 200);
}

pub(crate) async fn a_switched_off_workflow_is_409(database: TestDatabase) {
    let world = World::on(database).await;
    let mut sent = workflow();
    sent["isActive"] = json!(false);
    let made = world.post(&format!("{BASE}/workflows"), &sent).await.json();
    let path = execute_path(made["workflow"]["id"].as_str().unwrap());
    world
        .post(&path, &json!({}))
        .await
        .problem(409, "inactive-workflow");
}

pub(crate) async fn a_panic_is_an_opaque_500(database: TestDatabase) {
    let world = World::on(database).await;
    let sent = json!({"name": "Boom", "nodes": [{"id": "a", "type": "explosive"}], "edges": []});
    let answer = world.post(&format!("{BASE}/workflows"), &sent).await;
    answer.problem(500, "internal");
    assert!(!answer.text.contains("secret"), "{answer:?}");
    // The process goes on.
    world.workflow().await;
}

pub(crate) async fn a_body_that_never_ends_is_given_up(database: TestDatabase) {
    let limits = gristmill_api::Options {
        request_timeout: Duration::from_millis(200),
        ..options()
    };
    let world = World::with(database, limits).await;
    let mut stream = TcpStream::connect(&world.address).await.unwrap();
    let head = format!(
        "POST {BASE}/workflows HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{",
        world.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}
