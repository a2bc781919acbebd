//! Isolation: one organization never learns that another's objects exist.

use gristmill_store::connect_postgres;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_waits_for_a_lock_keeps_no_other_waiting() {
    let mut world = World::on(TestDatabase::postgres().await).await;
    let organization = world.organization().await;
    let stuck = world.request(Method::POST, &execute_path(&world.workflow().await));
    let options = gristmill_store::Options::new(world.database.as_ref().unwrap().url());
    let holder = connect_postgres(&options).await.unwrap();
    // What the month's limit is kept with.
    let hold = format!(
        "BEGIN; INSERT INTO usage_counters (organization_id, month, slot, executions)
         VALUES ('{organization}', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM'), 0, 0)"
    );
    holder.batch_execute(&hold).await.unwrap();
    let stuck = tokio::spawn(send(stuck));
    let waiting =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while holder.query(waiting, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }

    world.key = add_organization(&world.store).await.1;
    let path = execute_path(&world.workflow().await);
    let answer = send(world.request(Method::POST, &path)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let still = holder.query(waiting, &[]).await.unwrap();
    assert!(
        !stuck.is_finished() && !still.is_empty(),
        "nobody was waiting any more"
    );
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stuck.await.unwrap().status, 202);
}
