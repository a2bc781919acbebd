//! What a worker does not know: a newer version, or a worker with other kinds, may run beside it, and does. An execution is
//! put off for that one.

use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_dispatch::recover;
use gristmill_testkit::TestDatabase;
use serde_json::json;

use crate::recovers::write_and_die;
use crate::shop::Shop;

/// Waits until the execution is put off, and checks that it is for half a minute.
async fn until_put_off(shop: &Shop, id: &ExecutionId) {
    shop.until(id, ExecutionStatus::Waiting).await;
    let execution = shop.execution(id).await;
    let pause = execution.wake_at.unwrap() - execution.started_at.unwrap();
    assert!((25..600).contains(&pause.num_seconds()), "{pause}");
    assert_eq!((execution.error, execution.waits_for), (None, None));
}

/// Plays the clock: the pause is over.
async fn end_pause(shop: &Shop, id: &ExecutionId) {
    let sql = format!("UPDATE executions SET wake_at = created_at WHERE id = '{id}' AND status = 'WAITING'");
    shop.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_kind_that_a_worker_does_not_know_is_left_to_one_that_does() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let shop = Shop::new(db).await;
        let (stop, older) = shop.older_worker();
        let id = shop.submit().await;
        until_put_off(&shop, &id).await;
        // As often as it comes to one that does not know it.
        end_pause(&shop, &id).await;
        while shop.execution(&id).await.attempt < 2 {
            tokio::task::yield_now().await;
        }
        until_put_off(&shop, &id).await;
        stop.cancel();
        older.await.unwrap();

        shop.worker();
        shop.hold.let_go(1);
        end_pause(&shop, &id).await;
        shop.until(&id, ExecutionStatus::Completed).await;
        assert_eq!(shop.execution(&id).await.losses, 0);
    }
}

/// A newer version's `data` of a kind that both have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_worker_does_not_know_is_left_to_one_that_does() {
    let nodes = json!([
        {"id": "start", "type": "trigger"},
        {"id": "last", "type": "transform", "data": {"set": {"n": 1}, "unset": ["m"]}},
    ]);
    let shop = Shop::with_workflow(TestDatabase::sqlite().await, nodes).await;
    shop.worker();
    let id = shop.submit().await;
    until_put_off(&shop, &id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_entry_that_a_worker_does_not_know_is_left_to_one_that_does() {
    for entry in [
        r#"[{"type":"opened","path":"held","at":0,"work":{}}]"#,
        r#"[{"type":"waiting","path":"held","at":0,"on":{"type":"admission"}}]"#,
    ] {
        for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
            let shop = Shop::new(db).await;
            let id = shop.submit().await;
            write_and_die(&shop, &id, entry).await;
            recover(&*shop.db.store().protocol()).await.unwrap();
            shop.worker();
            until_put_off(&shop, &id).await;
            assert_eq!(shop.hold.calls(), [""; 0]);

            // Plays the version that does know the entry, and has gone on from it.
            let known = r#"[{"type":"completed","path":"start","at":0,"durationMs":0,"output":{}}]"#;
            let sql = format!("UPDATE execution_journal SET body = '{known}' WHERE execution_id = '{id}'");
            shop.execute(&sql).await;
            shop.hold.let_go(1);
            end_pause(&shop, &id).await;
            shop.until(&id, ExecutionStatus::Completed).await;
        }
    }
}
