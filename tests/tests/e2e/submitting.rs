//! An API that dies in the middle of a submit.

use gristmill_testkit::{Proxy, RecordingEndpoint, Trap};
use gristmill_tests::{Answer, Api, Calls, System, chain, eventually};
use serde_json::json;
use tokio::task::JoinHandle;

/// The client's key for the one submit of each test. It is an argument of the statement that records the execution,
/// which is a transaction of its own: so the trap is set for it.
const KEY: &str = "order-4711";

/// Case 1.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_killed_before_the_commit_leaves_nothing_and_the_repeat_makes_one_execution() {
    let scene = Scene::new().await;
    scene
        .kill_in(Trap::Withhold, async |system| {
            assert_eq!(system.database.executions().await, []);
        })
        .await;
}

/// Case 2.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_killed_after_the_commit_is_no_loss_and_the_repeat_gets_the_same_execution() {
    let scene = Scene::new().await;
    scene
        .kill_in(Trap::WithholdAnswer, async |system| {
            let recorded = async || system.database.count("PENDING").await.filter(|count| *count == 1);
            eventually("the execution is recorded", recorded).await;
        })
        .await;
}

/// Case 34: the API lives, and cannot know whether its commit was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_not_accepted_and_the_repeat_gets_the_same_execution() {
    let scene = Scene::new().await;
    let submit = scene.submit_into(Trap::WithholdAnswer).await;
    let recorded = async || {
        scene
            .system
            .database
            .count("PENDING")
            .await
            .filter(|count| *count == 1)
    };
    eventually("the execution is recorded", recorded).await;
    scene.proxy.cut();

    let answer = submit.await.unwrap().unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    let recorded = scene.system.database.executions().await;
    let _worker = scene.system.worker().await;
    let repeated = scene.submit(&scene.doomed).await.unwrap();
    assert_eq!(repeated.status, 202, "{repeated:?}");
    assert_eq!(repeated.execution_id(), recorded[0].id);
    scene
        .system
        .check(&[repeated.execution_id()], &scene.endpoint, Calls::Once)
        .await;
}

/// Two APIs, one of which reaches the database through a proxy.
struct Scene {
    doomed: Api,
    other: Api,
    workflow: String,
    endpoint: RecordingEndpoint,
    proxy: Proxy,
    system: System,
}

impl Scene {
    async fn new() -> Self {
        let system = System::start().await;
        let endpoint = RecordingEndpoint::start().await;
        let proxy = Proxy::to(&system.database_url()).await;
        let doomed = system
            .api_with(&[("database.url", &proxy.url(&system.database_url()))])
            .await;
        let other = system.api().await;
        let workflow = other.create_workflow(&chain(&endpoint, &["call"])).await;
        Self {
            system,
            endpoint,
            proxy,
            doomed,
            other,
            workflow,
        }
    }

    async fn submit(&self, api: &Api) -> Option<Answer> {
        api.try_execute(&self.workflow, Some(KEY), json!({"number": 1}))
            .await
            .ok()
    }

    /// Begins a submit whose statement ends up in the trap.
    async fn submit_into(&self, trap: Trap) -> JoinHandle<Option<Answer>> {
        self.proxy.set_trap(trap, KEY);
        let (client, workflow) = (self.doomed.client.clone(), self.workflow.clone());
        let submit = tokio::spawn(async move {
            client
                .try_execute(&workflow, Some(KEY), json!({"number": 1}))
                .await
                .ok()
        });
        self.proxy.trap_sprung().await;
        submit
    }

    /// Kills the API while its statement is in the trap; then the client repeats the submit, twice.
    async fn kill_in(mut self, trap: Trap, before_the_kill: impl AsyncFnOnce(&System)) {
        let submit = self.submit_into(trap).await;
        before_the_kill(&self.system).await;
        let recorded = self.system.database.executions().await;
        self.doomed.process.kill();
        self.proxy.cut();
        assert_eq!(submit.await.unwrap(), None, "no answer can have come");

        let first = self.submit(&self.other).await.unwrap();
        let second = self.submit(&self.other).await.unwrap();
        assert_eq!((first.status, second.status), (202, 202), "{first:?} {second:?}");
        assert_eq!(first.execution_id(), second.execution_id());
        if let Some(row) = recorded.first() {
            assert_eq!(first.execution_id(), row.id);
        }
        let _worker = self.system.worker().await;
        self.system
            .check(&[first.execution_id()], &self.endpoint, Calls::Once)
            .await;
    }
}
