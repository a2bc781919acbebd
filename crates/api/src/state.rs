//! The state: what every handler is given, and the services and options that it is made of.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use gristmill_core::Limits;
use gristmill_dispatch::{Admission, EndWatch, Follow, Wakeups};
use gristmill_engine::Registry;
use gristmill_queue::Broker;
use gristmill_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::cache::KeyCache;
use crate::auth::principal::Principal;
use crate::auth::rates::Rates;
use crate::auth::tokens::Tokens;
use crate::http::batch_room::BatchRoom;

/// The parts of the system that the API stands on.
#[derive(Clone)]
pub struct Services {
    /// What is kept.
    pub store: Store,
    /// The way in for executions.
    pub admission: Admission,
    /// Notices the end of executions, for `Prefer: wait`.
    pub end_watch: EndWatch,
    /// What wakes the background tasks that need not wait for their next run.
    pub wakeups: Wakeups,
    /// The node kinds that a definition may use.
    pub registry: Arc<Registry>,
    /// Asked for a sign of life by `/readyz`.
    pub broker: Arc<dyn Broker>,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
}

/// The limits of the API.
#[derive(Debug, Clone)]
pub struct Options {
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// The largest body of a batch of submits, in bytes.
    pub max_batch_bytes: usize,
    /// How many requests a second each key may send for as long as it likes; 0 = as many as it can.
    pub requests_per_second: u32,
    /// How many it may send at once after a pause.
    pub request_burst: NonZero<u32>,
    /// The lanes that a workflow may name.
    pub lanes: Vec<String>,
    /// How long a connection may go without a whole request head, so also how long an idle one is kept. Longer than common
    /// clients keep theirs (90 s), so that it is the client who closes, and never while a request is on its way.
    pub head_timeout: Duration,
    /// The most signals that one execution may be sent.
    pub max_mail: usize,
    /// How long a request may take from its head to its answer, not counting what `Prefer: wait` asks for.
    pub request_timeout: Duration,
    /// The most that `Prefer: wait` is granted.
    pub max_wait: Duration,
    /// How long `/readyz` waits for each part.
    pub ready_timeout: Duration,
    /// How long requests under way may go on after shutdown began.
    pub drain_timeout: Duration,
    /// How many may follow executions at a time.
    pub max_followers: usize,
    /// How many of those for one organization.
    pub max_followers_per_organization: usize,
    /// How long a key or token that was looked up is trusted without asking the database: a revocation takes effect within this.
    pub key_ttl: Duration,
    /// Which JSON Web Tokens are believed; `None` = none.
    pub tokens: Option<Tokens>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            max_batch_bytes: 16 * 1024 * 1024,
            requests_per_second: 10_000,
            request_burst: NonZero::new(20_000).unwrap_or(NonZero::<u32>::MIN),
            lanes: vec!["default".to_owned()],
            head_timeout: Duration::from_secs(120),
            max_mail: Limits::default().max_mail,
            request_timeout: Duration::from_secs(30),
            max_wait: Duration::from_secs(60),
            ready_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            max_followers: 1_000,
            max_followers_per_organization: 100,
            key_ttl: Duration::from_secs(5),
            tokens: None,
        }
    }
}

/// The state behind the router.
pub(crate) struct AppState {
    pub(crate) services: Services,
    pub(crate) options: Options,
    pub(crate) keys: KeyCache<Principal>,
    pub(crate) rates: Rates,
    pub(crate) batches: BatchRoom,
    /// Looks at executions on behalf of all streams of events.
    pub(crate) follow: Follow,
    /// What `/openapi.json` answers with.
    pub(crate) document: &'static str,
    /// Ends waits early, so that nobody who waits for an execution holds up the shutdown.
    pub(crate) shutdown: CancellationToken,
}
