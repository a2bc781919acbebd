//! One organization never learns that another's objects exist.

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::world::{BASE, World, add_organization, execute_path, send};

pub(crate) async fn an_id_that_is_none_is_404(database: TestDatabase) {
    let world = World::on(database).await;
    for id in ["wf_unknown", "wf_exec_1", "7", "%00", "%ff", "wf_%00", "a%2Fb"] {
        world
            .get(&format!("{BASE}/workflows/{id}"))
            .await
            .problem(404, "not-found");
        world
            .get(&format!("{BASE}/executions/{id}"))
            .await
            .problem(404, "not-found");
        world
            .get(&format!("{BASE}/executions/{id}/journal"))
            .await
            .problem(404, "not-found");
        world
            .post(&execute_path(id), &json!({}))
            .await
            .problem(404, "not-found");
    }
}

pub(crate) async fn two_organizations_may_use_the_same_key(database: TestDatabase) {
    let mut world = World::on(database).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let path = execute_path(&world.workflow().await);
        let answer = send(
            world
                .request(Method::POST, &path)
                .header("idempotency-key", "order-1"),
        )
        .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        ids.push(answer.execution_id());
        world.key = add_organization(&world.store).await.1;
    }
    assert_ne!(ids[0], ids[1]);
}
