//! What can be configured: the shape of `config/default.toml`, which says what each key means.

mod auth;
mod error;
mod layer;
mod load;
mod options;
mod show;
mod time;
mod validate;

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

pub use auth::Auth;
pub use error::ConfigError;
pub use load::{Loaded, Sources, load};
pub use time::{KeptFor, Time};

/// Everything that is configured. No key has a default here: the defaults stand in `config/default.toml`, and there
/// only, so a key that is missing there fails the first test.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data_dir: PathBuf,
    pub lanes: Vec<String>,
    pub database: Database,
    pub broker: Broker,
    pub api: Api,
    pub auth: Auth,
    pub worker: Worker,
    pub relay: Relay,
    pub retention: Retention,
    pub limits: Limits,
    pub http: Http,
    pub log: Log,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: SecretString,
    pub pool_size: NonZero<usize>,
    pub connect_timeout: Time,
    pub acquire_timeout: Time,
    pub statement_timeout: Time,
    pub lock_timeout: Time,
    pub idle_in_transaction_timeout: Time,
}

/// `[broker]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    pub url: SecretString,
    pub prefix: String,
    pub heartbeat: Time,
    pub delivery_limit: NonZero<u32>,
}

/// `[api]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    pub listen: SocketAddr,
    pub max_body_bytes: NonZero<usize>,
    pub max_batch_bytes: NonZero<usize>,
    pub requests_per_second: u32,
    pub request_burst: NonZero<u32>,
    pub max_wait: Time,
    pub request_timeout: Time,
    pub drain_grace: Time,
    pub key_ttl: Time,
    pub max_followers: NonZero<usize>,
    pub max_followers_per_organization: NonZero<usize>,
}

/// `[worker]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub name: String,
    pub lanes: Vec<String>,
    pub concurrency: NonZero<u16>,
    pub lease: Time,
    pub renew: Time,
    pub drain_grace: Time,
    /// Read by [`Worker::metrics_listen`].
    metrics_listen: String,
}

impl Worker {
    /// Where the worker serves its metrics, if anywhere.
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        // What is not empty was parsed when the configuration was checked.
        self.metrics_listen.parse().ok()
    }
}

/// `[relay]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    pub interval: Time,
    pub limit: NonZero<u32>,
    pub publish_within: Time,
}

/// `[retention]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub completed: KeptFor,
    pub failed: KeptFor,
    pub cancelled: KeptFor,
    pub interval: Time,
    pub batch: NonZero<u32>,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub max_parallel: NonZero<usize>,
    pub max_nodes: NonZero<usize>,
    pub max_nesting: NonZero<usize>,
    pub max_expressions: NonZero<usize>,
    pub max_node_output: NonZero<usize>,
    pub max_execution_output: NonZero<usize>,
    pub max_items: NonZero<usize>,
    pub max_journal_entries: NonZero<usize>,
    pub max_journal_bytes: NonZero<usize>,
    pub max_fuel: NonZero<u64>,
    pub max_child_depth: NonZero<usize>,
    pub max_mail: NonZero<usize>,
}

impl From<&Limits> for gristmill_core::Limits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_nodes: limits.max_nodes.get(),
            max_nesting: limits.max_nesting.get(),
            max_expressions: limits.max_expressions.get(),
            max_node_output: limits.max_node_output.get(),
            max_execution_output: limits.max_execution_output.get(),
            max_items: limits.max_items.get(),
            max_journal_entries: limits.max_journal_entries.get(),
            max_journal_bytes: limits.max_journal_bytes.get(),
            max_fuel: limits.max_fuel.get(),
            max_child_depth: limits.max_child_depth.get(),
            max_mail: limits.max_mail.get(),
        }
    }
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub allow_private_addresses: bool,
    pub allow_hosts: Vec<String>,
    pub timeout: Time,
    pub connect_timeout: Time,
    pub max_request_bytes: NonZero<usize>,
    pub max_response_bytes: NonZero<usize>,
    pub max_redirects: usize,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
