//! World: a running API with one organization, and short ways to talk to it and to play its worker.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gristmill_api::{Api, ApiKey, Options, Services};
use gristmill_core::access::Scopes;
use gristmill_core::journal::{Entry, FORMAT, write_chunk};
use gristmill_core::{ApiKeyId, ExecutionId, OrganizationId, Totals};
use gristmill_dispatch::{Admission, EndWatch, Plans, Publisher, Submitter, Wakeups};
use gristmill_effects::HttpOptions;
use gristmill_engine::{Compiled, Fields, Kind, Registry, builtin};
use gristmill_queue::{InProcess, InProcessOptions};
use gristmill_store::{
    Append, Claim, ClaimAnswer, Ending, Held, NewApiKey, NewChunk, NewOrganization, NewUser, Settle, Store,
    System,
};
use gristmill_testkit::TestDatabase;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::described;

pub(crate) const BASE: &str = "/api/v1/ai-hub";

/// A running API.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) broker: Arc<InProcess>,
    pub(crate) wakeups: Wakeups,
    pub(crate) key: String,
    pub(crate) address: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) server: JoinHandle<()>,
    client: Client,
    /// Last: it takes the database away.
    pub(crate) database: Option<TestDatabase>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl World {
    pub(crate) async fn on(database: TestDatabase) -> Self {
        Self::with(database, options()).await
    }

    pub(crate) async fn with(database: TestDatabase, options: Options) -> Self {
        let store = database.store().clone();
        let key = add_organization(&store).await.1;
        let mut world = Self::over(store, options).await;
        world.key = key;
        world.database = Some(database);
        world
    }

    /// Over any store, with a key that it may not know.
    pub(crate) async fn over(store: Store, options: Options) -> Self {
        let shutdown = CancellationToken::new();
        let broker = Arc::new(InProcess::new(InProcessOptions::new(vec!["default".into()])));
        let publisher = Publisher::start(broker.clone(), store.protocol(), shutdown.clone());
        let (registry, wakeups) = (Arc::new(registry()), Wakeups::default());
        let submitter = Submitter::new(store.protocol(), publisher, Duration::from_secs(30));
        let plans = Arc::new(Plans::new(store.clone(), registry.clone()));
        let services = Services {
            store: store.clone(),
            wakeups: wakeups.clone(),
            admission: Admission::new(submitter, store.clone(), plans, wakeups.relay.clone()),
            end_watch: EndWatch::new(store.protocol()),
            registry,
            broker: broker.clone(),
            metrics: metrics(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(Api::build(services, options).run(listener, shutdown.clone()));
        let key = ApiKey::generate().key;
        Self {
            store,
            broker,
            wakeups,
            key,
            address,
            shutdown,
            server,
            client: client(),
            database: None,
        }
    }

    /// A request with the world's key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare_request(method, path).bearer_auth(&self.key)
    }

    pub(crate) fn bare_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Plays the background task that starts what waited for its paused workflow, when it is woken.
    pub(crate) async fn resume_paused(&self) {
        let woken = self.wakeups.resume_paused.woken();
        tokio::time::timeout(Duration::from_secs(30), woken)
            .await
            .unwrap();
        self.store.protocol().resume_paused(System, 1_000).await.unwrap();
    }

    /// Plays the background task that counts.
    pub(crate) async fn count(&self) {
        while self.store.protocol().count_ends(System, 1_000).await.unwrap() > 0 {}
    }

    /// Whose the world's key is.
    pub(crate) async fn organization(&self) -> OrganizationId {
        let first = self.store.first_organization(System).await.unwrap();
        first.unwrap().organization_id
    }

    /// The id of a new workflow.
    pub(crate) async fn workflow(&self) -> String {
        let answer = self.post(&format!("{BASE}/workflows"), &workflow()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["workflow"]["id"].as_str().unwrap().to_owned()
    }

    /// The path of a new workflow.
    pub(crate) async fn workflow_path(&self) -> String {
        format!("{BASE}/workflows/{}", self.workflow().await)
    }

    /// The id of a new execution of a new workflow.
    pub(crate) async fn execution(&self) -> ExecutionId {
        let answer = self
            .post(&execute_path(&self.workflow().await), &json!({"input": {"n": 1}}))
            .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.execution_id()
    }

    /// Plays the worker: claims, and leaves RUNNING.
    pub(crate) async fn claim(&self, id: &ExecutionId) {
        let claim = Claim {
            token: uuid::Uuid::new_v4(),
            worker: "test".to_owned(),
            lease: Duration::from_secs(60),
        };
        let (protocol, job) = (self.store.protocol(), [(id.clone(), 0)]);
        // A claim skips a row that is locked, such as by the confirm that is being noted just then.
        for _ in 0..1_000 {
            let mut answers = protocol.claim(System, &job, &claim).await.unwrap();
            if let Some(ClaimAnswer::Claimed(_)) = answers.pop() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} could not be claimed");
    }

    /// Plays the worker: commits entries.
    pub(crate) async fn append(&self, id: &ExecutionId, entries: &[Entry]) {
        let watched = self
            .store
            .protocol()
            .watch(System, std::slice::from_ref(id))
            .await
            .unwrap();
        let append = Append {
            id: id.clone(),
            attempt: 1,
            journal_len: watched[0].journal_len,
            chunk: Some(chunk(entries)),
        };
        assert_eq!(
            self.store.protocol().append(System, &[append]).await.unwrap(),
            [Held::Yes]
        );
    }

    /// Plays the worker: claims and settles.
    pub(crate) async fn finish(&self, id: &ExecutionId, entries: &[Entry], ending: Ending) {
        self.claim(id).await;
        self.settle(id, entries, ending).await;
    }

    pub(crate) async fn settle(&self, id: &ExecutionId, entries: &[Entry], ending: Ending) {
        let totals = Totals {
            nodes_executed: 2,
            tokens_used: 30,
            cost_micros: 1_250_000,
        };
        let chunk = (!entries.is_empty()).then(|| chunk(entries));
        let settle = Settle {
            id: id.clone(),
            attempt: 1,
            chunk,
            ending,
            totals,
            is_child: false,
        };
        assert_eq!(
            self.store.protocol().settle(System, &[settle]).await.unwrap(),
            [Held::Yes]
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn execution_id(&self) -> ExecutionId {
        self.json()["execution"]["id"].as_str().unwrap().parse().unwrap()
    }

    /// Asserts that this is a problem document of this status and type, and answers with it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["type"], format!("urn:gristmill:problem:{kind}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["instance"].as_str(), self.header("x-request-id"), "{body}");
        for key in ["title", "detail"] {
            assert!(body[key].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        }
        body
    }

    /// The paths and codes of a 422's problems.
    #[track_caller]
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let body = self.problem(422, "invalid");
        let text = |problem: &Value, key: &str| problem[key].as_str().unwrap().to_owned();
        let problems = body["errors"].as_array().unwrap();
        problems
            .iter()
            .map(|problem| (text(problem, "path"), text(problem, "code")))
            .collect()
    }
}

/// Sends a request, and holds the answer against the document.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    };
    if let Some(fault) = described::fault(method.as_str(), &path, &answer) {
        panic!("{method} {path} is answered otherwise than described: {fault}\n{answer:?}");
    }
    answer
}

pub(crate) fn options() -> Options {
    Options {
        max_body_bytes: 64 * 1024,
        max_wait: Duration::from_secs(20),
        ..Options::default()
    }
}

/// A new organization and the key of somebody who may do everything in it.
pub(crate) async fn add_organization(store: &Store) -> (OrganizationId, String) {
    add_member(store, "GROWTH", "ADMIN").await
}

/// A new organization of a tier, and the key of its owner, who has this role everywhere.
pub(crate) async fn add_member(store: &Store, tier: &str, global_role: &str) -> (OrganizationId, String) {
    let (key, secret) = new_key("test");
    let organization = NewOrganization {
        name: "Mill".to_owned(),
        tier: tier.to_owned(),
    };
    let user = NewUser {
        name: "Miller".to_owned(),
        email: format!("{}@example.com", key.id),
        global_role: global_role.to_owned(),
    };
    let owner = store.bootstrap(System, organization, user, key).await.unwrap();
    (owner.organization_id, secret)
}

/// A key that is not narrowed, and its secret.
pub(crate) fn new_key(name: &str) -> (NewApiKey, String) {
    let ApiKey { key, prefix, hash } = ApiKey::generate();
    let new = NewApiKey {
        id: ApiKeyId::new(),
        name: name.to_owned(),
        prefix,
        hash,
        scopes: Scopes::ALL,
        expires_at: None,
    };
    (new, key)
}

/// A small valid workflow.
pub(crate) fn workflow() -> Value {
    json!({
        "name": "Small",
        "nodes": [
            {"id": "start", "type": "trigger", "data": {"label": "Start"}},
            {"id": "shape", "type": "transform", "data": {"label": "Shape", "set": {"m": "{{ n }}"}}},
        ],
        "edges": [{"id": "e", "source": "start", "target": "shape"}],
    })
}

pub(crate) fn execute_path(workflow: &str) -> String {
    format!("{BASE}/workflows/{workflow}/execute")
}

pub(crate) fn completed() -> Ending {
    Ending::Completed {
        output: r#"{"n":1,"m":1.0}"#.to_owned(),
    }
}

pub(crate) fn failed() -> Ending {
    Ending::Failed {
        error: r#"{"code":"broken","message":"no"}"#.to_owned(),
    }
}

fn chunk(entries: &[Entry]) -> NewChunk {
    // The store writes the current format.
    const { assert!(FORMAT == 1) };
    NewChunk {
        body: write_chunk(entries).unwrap(),
        entries: i32::try_from(entries.len()).unwrap(),
        progress: true,
    }
}

fn client() -> Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // The HTTP client insists on one, although no test speaks TLS.
        rustls::crypto::ring::default_provider().install_default().ok();
    });
    Client::builder().no_proxy().build().unwrap()
}

fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
        .clone()
}

/// The kinds of a real system, whose calls may go to this machine, and one with a defect.
pub(crate) fn registry() -> Registry {
    let mut kinds = builtin();
    let http = HttpOptions {
        allow_private_addresses: true,
        ..HttpOptions::default()
    };
    kinds.extend(gristmill_effects::kinds(gristmill_effects::Options { http }).unwrap());
    kinds.push(Box::new(Explosive));
    Registry::new(kinds).unwrap()
}

/// A node kind with a defect.
struct Explosive;

impl Kind for Explosive {
    fn name(&self) -> &'static str {
        "explosive"
    }

    fn compile(&self, _: &mut Fields<'_>) -> Option<Compiled> {
        panic!("the secret of node 7")
    }
}
