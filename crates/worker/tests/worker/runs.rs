use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_testkit::TestDatabase;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_runs_from_submit_to_completed() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let shop = Shop::new(db).await;
        shop.hold.let_go(1);
        shop.worker();
        let id = shop.submit().await;
        shop.until(&id, ExecutionStatus::Completed).await;
        let execution = shop.execution(&id).await;
        assert_eq!(execution.output.as_deref(), Some(r#"{"n":21,"twice":42}"#));
        assert_eq!((execution.attempt, execution.nodes_executed), (1, 3));
        assert!(execution.created_at <= execution.started_at.unwrap());
        assert!(execution.started_at <= execution.completed_at);
        let journal = shop.journal(&id).await;
        assert_eq!(
            journal,
            [
                "completed start",
                "started held",
                "completed held",
                "completed last"
            ]
        );
        assert_eq!(shop.hold.calls(), [format!("{id}:held")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_execution_names_its_node_and_keeps_what_was_done() {
    let nodes = json!([
        {"id": "start", "type": "trigger"},
        {"id": "first", "type": "transform", "data": {"set": {"twice": "{{ n * 2 }}"}}},
        {"id": "broken", "type": "transform", "data": {"set": {"x": "{{ missing + 1 }}"}}},
    ]);
    let shop = Shop::with_workflow(TestDatabase::sqlite().await, nodes).await;
    shop.worker();
    let id = shop.submit().await;
    shop.until(&id, ExecutionStatus::Failed).await;
    let execution = shop.execution(&id).await;
    let error: serde_json::Value = serde_json::from_str(execution.error.as_deref().unwrap()).unwrap();
    assert_eq!(
        (error["nodeId"].as_str(), error["path"].as_str()),
        (Some("broken"), Some("broken"))
    );
    assert_eq!(execution.nodes_executed, 2);
    assert_eq!(
        shop.journal(&id).await,
        ["completed start", "completed first", "failed broken"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_this_version_refuses_fails_with_every_problem() {
    let nodes = json!([
        {"id": "start", "type": "trigger"},
        {"id": "a", "type": "transform", "data": {"set": {"oracle": "{{ ( }}"}}},
        {"id": "b", "type": "transform", "data": {"set": {"abacus": "{{ ) }}"}}},
    ]);
    let shop = Shop::with_workflow(TestDatabase::sqlite().await, nodes).await;
    shop.worker();
    let id = shop.submit().await;
    shop.until(&id, ExecutionStatus::Failed).await;
    let error = shop.execution(&id).await.error.unwrap();
    assert!(
        error.contains("invalid_definition") && error.contains("oracle") && error.contains("abacus"),
        "{error}"
    );
}

/// Embedded, the queue is bounded: what does not fit stays in the database, and is offered again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_that_the_queue_has_no_room_for_are_run_later() {
    const CAPACITY: usize = 10;
    let publish_within = Duration::from_millis(300);
    let shop = Shop::with_small_queue(TestDatabase::sqlite().await, CAPACITY, publish_within).await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(shop.submit().await);
    }
    assert_eq!(
        shop.broker.depth(&"default".into()).await.unwrap(),
        CAPACITY as u64
    );
    shop.worker();
    shop.until_all(&ids, ExecutionStatus::Completed).await;
    for id in &ids {
        assert_eq!(shop.execution(id).await.attempt, 1);
    }
}
