//! Operations: what operators do with executions.

use gristmill_core::ExecutionId;
use gristmill_store::{Actor, ChildStarted, StartChild, System, WorkflowChange, WorkflowChanged};
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, BASE, World, completed, execute_path, failed, send};

pub(crate) async fn a_cancelled_execution_is_answered_again_and_again(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    for _ in 0..2 {
        let answer = act(&world, &id, "cancel", &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let execution = &answer.json()["execution"];
        assert_eq!(execution["status"], "CANCELLED", "{execution}");
        assert!(execution["completedAt"].is_string(), "{execution}");
    }
}

pub(crate) async fn what_has_ended_is_not_cancelled_or_signalled(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    world.finish(&id, &[], completed()).await;
    for action in ["cancel", "signals/approve"] {
        let problem = act(&world, &id, action, &json!({}))
            .await
            .problem(409, "execution-ended");
        assert!(
            problem["detail"].as_str().unwrap().contains("COMPLETED"),
            "{problem}"
        );
    }
}

pub(crate) async fn a_failed_execution_is_retried_and_no_other(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    act(&world, &id, "retry", &json!({}))
        .await
        .problem(409, "not-failed");
    world.finish(&id, &[], failed()).await;
    let answer = act(&world, &id, "retry", &json!({})).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let execution = &answer.json()["execution"];
    assert_eq!(
        (
            &execution["status"],
            &execution["operatorRetries"],
            &execution["error"]
        ),
        (&json!("PENDING"), &json!(1), &Value::Null),
        "{execution}"
    );
    act(&world, &id, "retry", &json!({}))
        .await
        .problem(409, "not-failed");
}

pub(crate) async fn a_replay_is_a_new_execution_that_names_the_old_one(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    world.finish(&id, &[], completed()).await;
    for body in [json!({}), json!({"revision": "newest"})] {
        let answer = act(&world, &id, "replay", &body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let execution = answer.json()["execution"].clone();
        assert_eq!(execution["replayOf"], id.as_str(), "{execution}");
        assert_eq!(execution["input"], json!({"n": 1}));
        let location = format!("{BASE}/executions/{}", answer.execution_id());
        assert_eq!(answer.header("location"), Some(&*location));
        assert_ne!(answer.execution_id(), id);
    }
    for body in [json!({"revision": "oldest"}), json!({"version": 1})] {
        assert_eq!(
            act(&world, &id, "replay", &body).await.problems().len(),
            1,
            "{body}"
        );
    }
    let keyed = async || {
        let path = format!("{BASE}/executions/{id}/replay");
        send(
            world
                .request(Method::POST, &path)
                .header("idempotency-key", "again"),
        )
        .await
    };
    assert_eq!(keyed().await.execution_id(), keyed().await.execution_id());
}

pub(crate) async fn a_signal_is_kept_and_the_same_key_is_the_same_signal(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let path = format!("{BASE}/executions/{id}/signals/order%20paid");
    for _ in 0..2 {
        let request = world
            .request(Method::POST, &path)
            .header("idempotency-key", "payment-1")
            .json(&json!({"amount": 3}));
        let answer = send(request).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(
            answer.json(),
            json!({"signal": {"executionId": id.as_str(), "name": "order paid"}})
        );
    }
    // A second signal under the first one's key would be lost.
    for (name, body) in [
        ("order%20paid", json!({"amount": 4})),
        ("refund", json!({"amount": 3})),
    ] {
        let path = format!("{BASE}/executions/{id}/signals/{name}");
        let request = world
            .request(Method::POST, &path)
            .header("idempotency-key", "payment-1")
            .json(&body);
        send(request).await.problem(409, "idempotency-key-reused");
    }
    assert_eq!(act(&world, &id, "signals/plain", &json!({})).await.status, 202);
    let inbox = world.store.protocol().inbox(System, &id, 0).await.unwrap();
    let messages: Vec<_> = inbox
        .iter()
        .map(|message| (&*message.name, &*message.body))
        .collect();
    assert_eq!(
        messages,
        [("signal:order paid", r#"{"amount":3}"#), ("signal:plain", "{}")]
    );
}

pub(crate) async fn a_signal_too_many_names_the_limit(database: TestDatabase) {
    let options = gristmill_api::Options {
        max_mail: 1,
        ..crate::world::options()
    };
    let world = World::with(database, options).await;
    let id = world.execution().await;
    assert_eq!(act(&world, &id, "signals/a", &json!({})).await.status, 202);
    let problem = act(&world, &id, "signals/a", &json!({}))
        .await
        .problem(409, "mail-limit");
    assert!(
        problem["detail"].as_str().unwrap().contains("limits.max_mail"),
        "{problem}"
    );
    let long = format!("signals/{}", "a".repeat(201));
    assert_eq!(
        act(&world, &id, &long, &json!({})).await.problems()[0].1,
        "invalid_name"
    );
}

pub(crate) async fn an_ended_execution_is_deleted_for_good(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let path = format!("{BASE}/executions/{id}");
    let delete = async || send(world.request(Method::DELETE, &path)).await;
    delete().await.problem(409, "execution-unfinished");
    act(&world, &id, "cancel", &json!({})).await;
    let deleted = delete().await;
    assert_eq!((deleted.status, &*deleted.text), (204, ""));
    delete().await.problem(404, "not-found");
    world.get(&path).await.problem(404, "not-found");
}

pub(crate) async fn a_family_is_shown_from_both_ends(database: TestDatabase) {
    let world = World::on(database).await;
    let parent = world.execution().await;
    world.claim(&parent).await;
    let workflow_id: String =
        world.get(&format!("{BASE}/executions/{parent}")).await.json()["execution"]["workflowId"]
            .as_str()
            .unwrap()
            .to_owned();
    let request = StartChild {
        parent: parent.clone(),
        attempt: 1,
        path: "sub".to_owned(),
        id: ExecutionId::new(),
        workflow_id: workflow_id.parse().unwrap(),
        input: "{}".into(),
        checked: None,
        max_depth: 3,
    };
    let started = world
        .store
        .protocol()
        .start_child(System, &request)
        .await
        .unwrap();
    assert_eq!(started, ChildStarted::Yes(request.id.clone()));
    let shown = async |id: &ExecutionId| {
        world.get(&format!("{BASE}/executions/{id}")).await.json()["execution"].clone()
    };
    assert_eq!(
        shown(&parent).await["children"],
        json!([{"id": request.id.as_str(), "workflowId": workflow_id, "path": "sub", "status": "PENDING"}])
    );
    assert_eq!(
        shown(&request.id).await["parent"],
        json!({"id": parent.as_str(), "path": "sub"})
    );
    act(&world, &request.id, "cancel", &json!({})).await;
    let path = format!("{BASE}/executions/{}", request.id);
    send(world.request(Method::DELETE, &path))
        .await
        .problem(409, "parent-unfinished");
    act(&world, &parent, "cancel", &json!({})).await;
    assert_eq!(send(world.request(Method::DELETE, &path)).await.status, 204);
}

pub(crate) async fn another_organizations_execution_takes_no_orders(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let stranger = crate::world::add_organization(&world.store).await.1;
    for (method, action) in [
        (Method::POST, "/cancel"),
        (Method::POST, "/retry"),
        (Method::POST, "/replay"),
        (Method::POST, "/signals/a"),
        (Method::DELETE, ""),
    ] {
        let path = format!("{BASE}/executions/{id}{action}");
        let answer = send(world.bare_request(method, &path).bearer_auth(&stranger)).await;
        answer.problem(404, "not-found");
    }
    let shown = world.get(&format!("{BASE}/executions/{id}")).await.json();
    assert_eq!(shown["execution"]["status"], "PENDING", "{shown}");
}

pub(crate) async fn an_execution_may_be_submitted_for_later(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    for start in [
        json!({"delayMs": 3_600_000}),
        json!({"runAt": "2999-12-31T23:59:59.5+01:00"}),
    ] {
        let answer = world.post(&path, &start).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let accepted = answer.json()["execution"].clone();
        assert_eq!(
            (&accepted["status"], &accepted["waitsFor"]),
            (&json!("WAITING"), &json!("start")),
            "{accepted}"
        );
        let shown = world
            .get(&format!("{BASE}/executions/{}", answer.execution_id()))
            .await
            .json();
        assert_eq!(shown["execution"], accepted);
        if start.get("runAt").is_some() {
            assert_eq!(accepted["wakeAt"], "2999-12-31T22:59:59.500Z");
        }
    }
    let past = world.post(&path, &json!({"runAt": "1999-12-31T23:59:59Z"})).await;
    assert_eq!(past.json()["execution"]["status"], "PENDING");
}

pub(crate) async fn a_start_that_is_no_time_is_refused(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    for (body, at, code) in [
        (json!({"runAt": "tomorrow"}), "$.runAt", "wrong_type"),
        (json!({"runAt": 7}), "$.runAt", "wrong_type"),
        // In UTC it is another year.
        (
            json!({"runAt": "9999-12-31T23:59:59-23:59"}),
            "$.runAt",
            "wrong_type",
        ),
        (json!({"delayMs": -1}), "$.delayMs", "wrong_type"),
        (json!({"delayMs": "1s"}), "$.delayMs", "wrong_type"),
        (
            json!({"delayMs": 1, "runAt": "2030-01-01T00:00:00Z"}),
            "$.runAt",
            "contradiction",
        ),
    ] {
        let answer = world.post(&path, &body).await;
        assert_eq!(answer.problems(), [(at.to_owned(), code.to_owned())], "{body}");
    }
}

pub(crate) async fn an_input_is_checked_against_the_newest_schema(database: TestDatabase) {
    let world = World::on(database).await;
    let mut definition = crate::world::workflow();
    let schema = |required: &str| {
        json!({"inputSchema": {
            "type": "object", "required": [required], "properties": {"n": {"type": "integer"}, "m": {"type": "string"}},
        }})
    };
    definition["nodes"][0]["data"] = schema("n");
    let created = world.post(&format!("{BASE}/workflows"), &definition).await;
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json()["workflow"]["id"].as_str().unwrap().to_owned();
    let path = execute_path(&id);
    let keyed = async |input: Value| {
        let request = world.request(Method::POST, &path).header("idempotency-key", "k");
        send(request.json(&json!({"input": input}))).await
    };
    // Every problem, the first time and from what is remembered.
    for _ in 0..2 {
        let answer = world.post(&path, &json!({"input": {"m": 7}})).await;
        assert_eq!(answer.problems().len(), 2, "{answer:?}");
    }
    assert_eq!(world.post(&path, &json!({"input": {"n": 1}})).await.status, 202);
    let first = keyed(json!({"n": 1})).await;
    assert_eq!(first.status, 202, "{first:?}");

    // Saved with another schema by another process: what this one remembers is out of date.
    definition["nodes"][0]["data"] = schema("m");
    let facts = gristmill_store::DefinitionFacts {
        checks_input: true,
        ..gristmill_store::DefinitionFacts::from(&gristmill_core::Settings::default())
    };
    let tenant = gristmill_store::Tenant(world.organization().await);
    let id = id.parse().unwrap();
    let stored = world.store.workflow(&tenant, &id).await.unwrap().unwrap();
    let change = WorkflowChange {
        name: stored.name,
        description: stored.description,
        version: stored.version,
        tags: stored.tags,
        is_active: stored.is_active,
        template_id: stored.template_id,
        definition: definition.to_string(),
        facts,
    };
    let saved = world
        .store
        .change_workflow(&tenant, &Actor::OPERATOR, &id, stored.edition, change)
        .await;
    assert!(matches!(saved.unwrap(), WorkflowChanged::Yes(workflow) if workflow.revision == 2));
    let refused = world.post(&path, &json!({"input": {"n": 1}})).await;
    assert_eq!(refused.problems().len(), 1, "{refused:?}");
    assert_eq!(world.post(&path, &json!({"input": {"m": "x"}})).await.status, 202);
    // What was accepted once stays accepted, and is replayed on the revision whose schema it meets.
    let again = keyed(json!({"n": 1})).await;
    assert_eq!((again.status, again.execution_id()), (202, first.execution_id()));
    let original = first.execution_id();
    assert_eq!(act(&world, &original, "replay", &json!({})).await.status, 202);
    let newest = act(&world, &original, "replay", &json!({"revision": "newest"})).await;
    assert_eq!(newest.problems().len(), 1, "{newest:?}");
}

async fn act(world: &World, id: &ExecutionId, action: &str, body: &Value) -> Answer {
    world
        .post(&format!("{BASE}/executions/{id}/{action}"), body)
        .await
}
