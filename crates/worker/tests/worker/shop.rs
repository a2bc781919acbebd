//! Shop: one organization, one workflow and as many workers as a test wants.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join_all;
use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, ExecutionId, ExecutionStatus, Settings, UserId, WorkflowId};
use gristmill_dispatch::{Plans, Publisher, Relay, RelayOptions, RelayWakeup, Submitter, drive};
use gristmill_engine::{Kind, Registry};
use gristmill_queue::{Broker, InProcess, InProcessOptions, Lane};
use gristmill_store::{
    Actor, DefinitionFacts, Execution, ExecutionFilter, NewApiKey, NewOrganization, NewUser, NewWorkflow,
    Protocol, Repeat, Start, Submit, Submitted, System, Tenant, Watched,
};
use gristmill_testkit::TestDatabase;
use gristmill_worker::{Dependencies, Worker, WorkerOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

use crate::hold::Hold;
use crate::prefetching::Prefetching;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than any test: the relay publishes again only what a test has made due.
const PUBLISH_WITHIN: Duration = Duration::from_secs(60);

pub struct Shop {
    pub db: TestDatabase,
    pub broker: Arc<dyn Broker>,
    pub hold: Hold,
    pub workflow: WorkflowId,
    pub tenant: Tenant,
    user: UserId,
    submitter: Submitter,
    shutdown: CancellationToken,
}

impl Shop {
    /// A shop whose workflow is trigger → hold → transform.
    pub async fn new(db: TestDatabase) -> Self {
        let nodes = json!([
            {"id": "start", "type": "trigger"},
            {"id": "held", "type": "hold"},
            {"id": "last", "type": "transform", "data": {"set": {"twice": "{{ n * 2 }}"}}},
        ]);
        Self::with_workflow(db, nodes).await
    }

    /// A shop whose workflow is a chain of these nodes.
    pub async fn with_workflow(db: TestDatabase, nodes: Value) -> Self {
        let (shop, publisher) = Self::build(db, nodes).await;
        shop.start_relay(publisher, PUBLISH_WITHIN);
        shop
    }

    /// A shop whose queue holds no more than `capacity` jobs, and whose relay tries again every `publish_within`.
    pub async fn with_small_queue(db: TestDatabase, capacity: usize, publish_within: Duration) -> Self {
        let nodes = json!([{"id": "start", "type": "trigger"}]);
        let (shop, publisher) = Self::build_with(db, nodes, capacity, publish_within).await;
        shop.start_relay(publisher, publish_within);
        shop
    }

    /// A shop in which nothing happens by itself.
    pub async fn without_relay(db: TestDatabase) -> Self {
        let nodes = json!([{"id": "start", "type": "trigger"}, {"id": "held", "type": "hold"}]);
        Self::build(db, nodes).await.0
    }

    async fn build(db: TestDatabase, nodes: Value) -> (Self, Publisher) {
        Self::build_with(db, nodes, usize::MAX, PUBLISH_WITHIN).await
    }

    async fn build_with(
        db: TestDatabase,
        nodes: Value,
        capacity: usize,
        publish_within: Duration,
    ) -> (Self, Publisher) {
        let lane: Lane = "default".into();
        let options = InProcessOptions {
            capacity,
            ..InProcessOptions::new(vec![lane])
        };
        let broker: Arc<dyn Broker> = Arc::new(Prefetching(InProcess::new(options)));
        let shutdown = CancellationToken::new();
        let protocol = db.store().protocol();
        let publisher = Publisher::start(broker.clone(), protocol.clone(), shutdown.clone());
        let submitter = Submitter::new(protocol, publisher.clone(), publish_within);
        let (tenant, user) = bootstrap(&db).await;
        let workflow = store_workflow(
            &db,
            &tenant,
            &user,
            nodes,
            DefinitionFacts::from(&Settings::default()),
        )
        .await;
        let shop = Self {
            db,
            broker,
            hold: Hold::new(),
            workflow,
            tenant,
            user,
            submitter,
            shutdown,
        };
        (shop, publisher)
    }

    /// Another workflow of the organization: a chain of these nodes.
    pub async fn add_workflow(&self, nodes: Value, facts: DefinitionFacts) -> WorkflowId {
        store_workflow(&self.db, &self.tenant, &self.user, nodes, facts).await
    }

    /// The newest execution of a workflow, once there is one.
    pub async fn newest_of(&self, workflow: &WorkflowId) -> ExecutionId {
        let filter = ExecutionFilter {
            workflow_id: Some(workflow.clone()),
            ..ExecutionFilter::default()
        };
        let store = self.db.store();
        let found = async {
            loop {
                let page = store
                    .list_executions(&self.tenant, &filter, None, 1)
                    .await
                    .unwrap();
                if let Some(newest) = page.executions.into_iter().next() {
                    return newest.id;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap()
    }

    fn start_relay(&self, publisher: Publisher, publish_within: Duration) {
        let options = RelayOptions {
            interval: Duration::from_millis(50),
            limit: 100,
            publish_within,
            lease: Duration::from_secs(3600),
        };
        let relay = Relay::new(
            self.db.store().protocol(),
            publisher,
            RelayWakeup::default(),
            options,
        );
        tokio::spawn(drive(Box::new(relay), self.shutdown.clone()));
    }

    pub async fn submit(&self) -> ExecutionId {
        let submit = Submit {
            id: ExecutionId::new(),
            workflow_id: self.workflow.clone(),
            input: r#"{"n":21}"#.into(),
            repeat: Repeat::SameContent,
            idempotency_key: None,
            request_hash: "hash".to_owned(),
            start: Start::Now,
            checked: None,
            tags: None,
            metadata: None,
            monthly_limit: None,
        };
        let id = submit.id.clone();
        let answer = self.submitter.submit(&self.tenant, submit).await.unwrap();
        assert!(matches!(answer, Submitted::Accepted(_)), "{answer:?}");
        id
    }

    /// Starts a worker; cancelling the token drains it.
    pub fn worker(&self) -> (CancellationToken, JoinHandle<()>) {
        self.worker_with(self.db.store().protocol(), |_| {})
    }

    /// Starts a worker that sees the database through `protocol`.
    pub fn worker_with(
        &self,
        protocol: Arc<dyn Protocol>,
        change: impl FnOnce(&mut WorkerOptions),
    ) -> (CancellationToken, JoinHandle<()>) {
        let mut kinds = gristmill_engine::builtin();
        kinds.push(Box::new(self.hold.clone()));
        self.worker_of(kinds, protocol, change)
    }

    /// Starts a worker of the version before, which does not know the kind `hold` yet.
    pub fn older_worker(&self) -> (CancellationToken, JoinHandle<()>) {
        self.worker_of(gristmill_engine::builtin(), self.db.store().protocol(), |_| {})
    }

    fn worker_of(
        &self,
        kinds: Vec<Box<dyn Kind>>,
        protocol: Arc<dyn Protocol>,
        change: impl FnOnce(&mut WorkerOptions),
    ) -> (CancellationToken, JoinHandle<()>) {
        let mut options = WorkerOptions {
            name: "worker".to_owned(),
            lanes: vec!["default".into()],
            concurrency: 4,
            lease: Duration::from_secs(15),
            renew_every: Duration::from_secs(5),
            drain_grace: Duration::ZERO,
            engine: gristmill_engine::Options {
                drain_grace: Duration::ZERO,
                ..Default::default()
            },
        };
        change(&mut options);
        let registry = Arc::new(Registry::new(kinds).unwrap());
        let dependencies = Dependencies {
            protocol,
            renewals: self.db.store().renewals(),
            broker: self.broker.clone(),
            plans: Arc::new(Plans::new(self.db.store().clone(), registry)),
            relay: RelayWakeup::default(),
        };
        let stop = self.shutdown.child_token();
        let worker = Worker::new(options, dependencies);
        let shutdown = stop.clone();
        (
            stop,
            tokio::spawn(async move { worker.run(shutdown).await.unwrap() }),
        )
    }

    /// Ends a pause before its time, past the store, since nothing else does; what is PENDING is left alone.
    pub async fn make_claimable(&self, id: &ExecutionId) {
        let sql = format!(
            "UPDATE executions SET status = 'PENDING', waits_for = NULL WHERE id = '{id}' AND status = 'WAITING'"
        );
        self.execute(&sql).await;
    }

    /// Runs a statement past the store.
    pub async fn execute(&self, sql: &str) {
        if let Some(path) = self.db.url().strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::establish(path).unwrap();
            connection.batch_execute(sql).unwrap();
        } else {
            let (client, connection) = tokio_postgres::connect(self.db.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        }
    }

    pub async fn execution(&self, id: &ExecutionId) -> Execution {
        self.db
            .store()
            .execution(&self.tenant, id)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn watched(&self, id: &ExecutionId) -> Watched {
        let ids = std::slice::from_ref(id);
        self.db
            .store()
            .protocol()
            .watch(System, ids)
            .await
            .unwrap()
            .remove(0)
    }

    /// The types of the journal's entries, in order.
    pub async fn journal(&self, id: &ExecutionId) -> Vec<String> {
        let journals = self
            .db
            .store()
            .protocol()
            .journal(System, std::slice::from_ref(id))
            .await
            .unwrap();
        let chunks = journals.into_iter().flat_map(|(_, chunks)| chunks);
        let entries = chunks.flat_map(|chunk| serde_json::from_str::<Vec<Value>>(&chunk.body).unwrap());
        entries
            .map(|entry| {
                format!(
                    "{} {}",
                    entry["type"].as_str().unwrap(),
                    entry["path"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// Waits until the execution stands so.
    pub async fn until(&self, id: &ExecutionId, status: ExecutionStatus) {
        self.until_all(std::slice::from_ref(id), status).await;
    }

    /// Waits until all of these executions stand so.
    pub async fn until_all(&self, ids: &[ExecutionId], status: ExecutionStatus) {
        let reached = async {
            loop {
                let rows = self.db.store().protocol().watch(System, ids).await.unwrap();
                if rows.iter().all(|row| row.status == status) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            let rows = self.db.store().protocol().watch(System, ids).await.unwrap();
            let errors = join_all(ids.iter().map(|id| async { self.execution(id).await.error })).await;
            panic!("not all {status} within {PATIENCE:?}: {rows:#?}, {errors:?}");
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn bootstrap(db: &TestDatabase) -> (Tenant, UserId) {
    let organization = NewOrganization {
        name: "Mill".to_owned(),
        tier: "ENTERPRISE".to_owned(),
    };
    let user = NewUser {
        name: "Miller".to_owned(),
        email: "miller@example.com".to_owned(),
        global_role: "USER".to_owned(),
    };
    let key = NewApiKey {
        id: ApiKeyId::new(),
        name: "first".to_owned(),
        prefix: "gm_0".to_owned(),
        hash: "0".to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    };
    let owner = db
        .store()
        .bootstrap(System, organization, user, key)
        .await
        .unwrap();
    (Tenant(owner.organization_id), owner.user_id)
}

async fn store_workflow(
    db: &TestDatabase,
    tenant: &Tenant,
    user: &UserId,
    nodes: Value,
    facts: DefinitionFacts,
) -> WorkflowId {
    let ids: Vec<_> = nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].clone())
        .collect();
    let edges: Vec<_> = ids
        .windows(2)
        .map(|pair| json!({"source": pair[0], "target": pair[1]}))
        .collect();
    let workflow = NewWorkflow {
        id: WorkflowId::new(),
        name: "Grind".to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        facts,
        definition: json!({"nodes": nodes, "edges": edges}).to_string(),
        template_id: None,
        created_by: user.clone(),
        limit: None,
    };
    let workflow = db
        .store()
        .create_workflow(tenant, &Actor::OPERATOR, workflow)
        .await
        .unwrap();
    workflow.id
}
