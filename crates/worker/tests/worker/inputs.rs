//! Inputs that no API has seen: a child's, and that of what handles a failure.

use gristmill_core::{ExecutionStatus, Settings, WorkflowId};
use gristmill_store::{Actor, DefinitionFacts, Retried};
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::shop::Shop;

/// A workflow whose input must have this key.
fn wanting(key: &str) -> (Value, DefinitionFacts) {
    let schema = json!({"type": "object", "required": [key], "properties": {"a": {"type": "string"}}});
    let nodes = json!([{"id": "start", "type": "trigger", "data": {"inputSchema": schema}}]);
    let facts = DefinitionFacts {
        checks_input: true,
        ..DefinitionFacts::from(&Settings::default())
    };
    (nodes, facts)
}

fn calling(child: &WorkflowId, input: &Value) -> Value {
    json!([
        {"id": "start", "type": "trigger"},
        {"id": "sub", "type": "subWorkflow", "data": {"workflowId": child, "input": input}},
    ])
}

fn plain() -> DefinitionFacts {
    DefinitionFacts::from(&Settings::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_whose_input_does_not_meet_its_schema_is_a_failure_of_the_node() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let mut shop = Shop::new(db).await;
        let (nodes, facts) = wanting("a");
        let child = shop.add_workflow(nodes, facts).await;
        shop.worker();

        shop.workflow = shop
            .add_workflow(calling(&child, &json!({"a": "{{ n }}"})), plain())
            .await;
        let id = shop.submit().await;
        shop.until(&id, ExecutionStatus::Failed).await;
        let error: Value = serde_json::from_str(&shop.execution(&id).await.error.unwrap()).unwrap();
        assert_eq!(
            (&error["code"], &error["nodeId"]),
            (&json!("invalid_input"), &json!("sub"))
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(child.as_str()) && message.contains("$.input.a"),
            "{message}"
        );
        let children = shop.db.store().children(&shop.tenant, &id, 10).await.unwrap();
        assert!(children.is_empty(), "{children:?}");

        shop.workflow = shop
            .add_workflow(calling(&child, &json!({"a": "x"})), plain())
            .await;
        let id = shop.submit().await;
        shop.until(&id, ExecutionStatus::Completed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_of_a_definition_that_this_version_refuses_fails_by_itself() {
    let mut shop = Shop::new(TestDatabase::sqlite().await).await;
    let (_, facts) = wanting("a");
    let child = shop
        .add_workflow(
            json!([{"id": "a", "type": "transform", "data": {"set": {"x": 1}}}]),
            facts,
        )
        .await;
    shop.worker();
    shop.workflow = shop.add_workflow(calling(&child, &json!({})), plain()).await;
    let id = shop.submit().await;
    shop.until(&id, ExecutionStatus::Failed).await;
    assert!(shop.execution(&id).await.error.unwrap().contains("child_failed"));
    let error = shop.execution(&shop.newest_of(&child).await).await.error.unwrap();
    assert!(error.contains("invalid_definition"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_handles_a_failure_begins_only_with_an_input_that_meets_its_schema() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let mut shop = Shop::new(db).await;
        shop.worker();
        for (key, ends) in [
            ("failed", ExecutionStatus::Completed),
            ("a", ExecutionStatus::Failed),
        ] {
            let (nodes, facts) = wanting(key);
            let handler = shop.add_workflow(nodes, facts).await;
            let broken = json!([
                {"id": "start", "type": "trigger"},
                {"id": "broken", "type": "transform", "data": {"set": {"x": "{{ missing + 1 }}"}}},
            ]);
            let facts = DefinitionFacts {
                on_failure: Some(handler.clone()),
                ..plain()
            };
            shop.workflow = shop.add_workflow(broken, facts).await;
            let failed = shop.submit().await;
            let id = shop.newest_of(&handler).await;
            shop.until(&id, ends).await;
            let handled = shop.execution(&id).await;
            assert_eq!(handled.on_failure_of, Some(failed));
            if ends == ExecutionStatus::Failed {
                let error = handled.error.unwrap();
                assert!(
                    error.contains("invalid_input") && error.contains("$.input"),
                    "{error}"
                );
                assert!(shop.journal(&id).await.is_empty());
                // Tried again, it meets the same schema.
                let store = shop.db.store();
                let retried = store.protocol().retry(&shop.tenant, &Actor::OPERATOR, &id).await;
                assert_eq!(retried.unwrap(), Retried::Yes);
                shop.until(&id, ExecutionStatus::Failed).await;
                let again = shop.execution(&id).await;
                assert_eq!((again.attempt, again.nodes_executed), (2, 0));
            }
        }
    }
}
