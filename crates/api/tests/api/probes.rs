//! Probes: what the surroundings ask.

use gristmill_queue::Broker;
use gristmill_testkit::TestDatabase;
use reqwest::Method;

use crate::world::{World, send};

pub(crate) async fn a_healthy_system_is_alive_and_ready(database: TestDatabase) {
    let world = World::on(database).await;
    for path in ["/healthz", "/readyz"] {
        // Probes have no key.
        assert_eq!(send(world.bare_request(Method::GET, path)).await.status, 200);
    }
}

pub(crate) async fn readiness_names_a_closed_broker(database: TestDatabase) {
    let world = World::on(database).await;
    world.broker.close().await;
    let body = send(world.bare_request(Method::GET, "/readyz"))
        .await
        .problem(503, "not-ready");
    assert_eq!(body["detail"], "No answer from: broker.");
}

pub(crate) async fn metrics_count_requests_by_route(database: TestDatabase) {
    let world = World::on(database).await;
    world.get("/api/v1/ai-hub/workflows/wf_1").await;
    send(world.request(Method::from_bytes(b"BREW").unwrap(), "/pot")).await;
    let answer = send(world.bare_request(Method::GET, "/metrics")).await;
    assert_eq!(answer.status, 200);
    for wanted in [
        r#"gristmill_http_requests_total{route="/api/v1/ai-hub/workflows/{id}",method="GET",status="404"}"#,
        r#"gristmill_http_requests_total{route="unmatched",method="OTHER",status="404"}"#,
        r#"gristmill_http_request_duration_seconds_count{route="/api/v1/ai-hub/workflows/{id}",method="GET"}"#,
    ] {
        assert!(answer.text.contains(wanted), "{wanted} in\n{}", answer.text);
    }
}
