//! Authentication: who may come in.

use gristmill_api::ApiKey;
use gristmill_testkit::TestDatabase;
use reqwest::Method;

use crate::world::{BASE, World, send};

const ANY: &str = "/api/v1/ai-hub/workflows/wf_1";

pub(crate) async fn a_request_without_a_key_is_told_so(database: TestDatabase) {
    let world = World::on(database).await;
    for request in [
        world.bare_request(Method::GET, ANY),
        world
            .bare_request(Method::GET, ANY)
            .header("authorization", "Basic Z206Z20="),
        // Not even the body's faults are told to strangers.
        world
            .bare_request(Method::POST, &format!("{BASE}/workflows"))
            .body("{"),
    ] {
        let answer = send(request).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer realm="gristmill""#)
        );
    }
}

pub(crate) async fn a_key_that_nobody_has_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    for key in ["", "gm_", "hello", &world.key[..20], &ApiKey::generate().key] {
        let answer = send(world.bare_request(Method::GET, ANY).bearer_auth(key)).await;
        let body = answer.problem(401, "unauthenticated");
        assert!(
            key.is_empty() || !body.to_string().contains(&format!("{key}\"")),
            "{body}"
        );
    }
}

pub(crate) async fn the_scheme_is_known_in_any_case(database: TestDatabase) {
    let world = World::on(database).await;
    let request = world
        .bare_request(Method::GET, ANY)
        .header("authorization", format!("bEARER {}", world.key));
    send(request).await.problem(404, "not-found");
}
