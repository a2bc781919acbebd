//! What a caller may do depends on roles and tier.

use gristmill_testkit::TestDatabase;

use crate::world::{BASE, World, add_member, workflow};

pub(crate) async fn a_tier_below_growth_has_no_access(database: TestDatabase) {
    let mut world = World::on(database).await;
    let id = world.workflow().await;
    world.key = add_member(&world.store, "STARTER", "ADMIN").await.1;
    let problem = world
        .post(&format!("{BASE}/workflows"), &workflow())
        .await
        .problem(403, "forbidden");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`ai-hub:workflows:create`"), "{detail}");
    // Without access, whether something exists is not told either.
    world
        .get(&format!("{BASE}/workflows/{id}"))
        .await
        .problem(403, "forbidden");
}

pub(crate) async fn a_user_who_is_no_admin_deletes_nothing(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.key = add_member(&world.store, "GROWTH", "USER").await.1;
    let execution = world.execution().await;
    let path = format!("{BASE}/executions/{execution}");
    crate::world::send(world.request(reqwest::Method::DELETE, &path))
        .await
        .problem(403, "forbidden");
    assert_eq!(world.get(&path).await.status, 200);
}
