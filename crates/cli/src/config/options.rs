//! Options: from configuration to the options of each part of a process.

use gristmill_dispatch::{PruneOptions, RelayOptions};
use gristmill_effects::HttpOptions;
use gristmill_queue::{InProcessOptions, Lane, RabbitMqOptions};
use gristmill_server::{BrokerOptions, DatabaseOptions, Options};
use gristmill_store::Retention;
use gristmill_worker::WorkerOptions;
use secrecy::ExposeSecret;

use super::Config;

/// The embedded database's file within the data directory.
const FILE: &str = "gristmill.db";

impl Config {
    /// The options of a process that is called `role` in the listings of PostgreSQL and RabbitMQ.
    pub fn options(&self, role: &str) -> Options {
        Options {
            database: self.database_options(role),
            broker: broker(self, role),
            relay: relay(self),
            retention: prune(self),
            limits: (&self.limits).into(),
            effects: effects(self),
            api: api(self),
            // What makes no sense was refused when the configuration was checked.
            tokens: self.auth.tokens().ok().flatten(),
            worker: worker(self),
        }
    }

    /// The configured database, or the embedded one in the data directory.
    pub fn database_options(&self, role: &str) -> DatabaseOptions {
        DatabaseOptions {
            store: store(self, role),
            own: self.database.url.expose_secret().is_empty(),
        }
    }
}

fn broker(config: &Config, role: &str) -> BrokerOptions {
    if config.broker.url.expose_secret().is_empty() {
        BrokerOptions::InProcess(in_process(config))
    } else {
        BrokerOptions::RabbitMq(rabbitmq(config, role))
    }
}

fn store(config: &Config, role: &str) -> gristmill_store::Options {
    let database = &config.database;
    let url = match database.url.expose_secret() {
        "" => format!("sqlite:{}", config.data_dir.join(FILE).display()),
        url => url.to_owned(),
    };
    gristmill_store::Options {
        pool_size: database.pool_size.get(),
        connect_timeout: database.connect_timeout.0,
        acquire_timeout: database.acquire_timeout.0,
        statement_timeout: database.statement_timeout.0,
        lock_timeout: database.lock_timeout.0,
        idle_in_transaction_timeout: database.idle_in_transaction_timeout.0,
        application_name: process_name(role),
        ..gristmill_store::Options::new(url)
    }
}

fn rabbitmq(config: &Config, role: &str) -> RabbitMqOptions {
    let broker = &config.broker;
    RabbitMqOptions {
        name: process_name(role),
        prefix: broker.prefix.clone(),
        delivery_limit: broker.delivery_limit.get(),
        heartbeat: broker.heartbeat.0,
        ..RabbitMqOptions::new(broker.url.expose_secret(), lanes(&config.lanes))
    }
}

fn in_process(config: &Config) -> InProcessOptions {
    InProcessOptions {
        delivery_limit: config.broker.delivery_limit.get(),
        ..InProcessOptions::new(lanes(&config.lanes))
    }
}

fn relay(config: &Config) -> RelayOptions {
    RelayOptions {
        interval: config.relay.interval.0,
        limit: i64::from(config.relay.limit.get()),
        publish_within: config.relay.publish_within.0,
        lease: config.worker.lease.0,
    }
}

fn prune(config: &Config) -> PruneOptions {
    let retention = &config.retention;
    PruneOptions {
        retention: Retention {
            completed: retention.completed.0,
            failed: retention.failed.0,
            cancelled: retention.cancelled.0,
        },
        interval: retention.interval.0,
        batch: i64::from(retention.batch.get()),
    }
}

fn effects(config: &Config) -> gristmill_effects::Options {
    gristmill_effects::Options { http: http(config) }
}

fn http(config: &Config) -> HttpOptions {
    let http = &config.http;
    HttpOptions {
        allow_private_addresses: http.allow_private_addresses,
        allow_hosts: http.allow_hosts.clone(),
        timeout: http.timeout.0,
        connect_timeout: http.connect_timeout.0,
        max_request_bytes: http.max_request_bytes.get(),
        max_response_bytes: http.max_response_bytes.get(),
        max_redirects: http.max_redirects,
    }
}

fn api(config: &Config) -> gristmill_api::Options {
    let api = &config.api;
    gristmill_api::Options {
        max_body_bytes: api.max_body_bytes.get(),
        max_batch_bytes: api.max_batch_bytes.get(),
        requests_per_second: api.requests_per_second,
        request_burst: api.request_burst,
        lanes: config.lanes.clone(),
        max_mail: config.limits.max_mail.get(),
        request_timeout: api.request_timeout.0,
        max_wait: api.max_wait.0,
        drain_timeout: api.drain_grace.0,
        key_ttl: api.key_ttl.0,
        max_followers: api.max_followers.get(),
        max_followers_per_organization: api.max_followers_per_organization.get(),
        ..gristmill_api::Options::default()
    }
}

fn worker(config: &Config) -> WorkerOptions {
    let Config { worker, limits, .. } = config;
    let name = if worker.name.is_empty() {
        process_name(&host_name())
    } else {
        worker.name.clone()
    };
    WorkerOptions {
        name,
        lanes: lanes(if worker.lanes.is_empty() {
            &config.lanes
        } else {
            &worker.lanes
        }),
        concurrency: worker.concurrency.get(),
        lease: worker.lease.0,
        renew_every: worker.renew.0,
        drain_grace: worker.drain_grace.0,
        engine: gristmill_engine::Options {
            drain_grace: worker.drain_grace.0,
            max_parallel: limits.max_parallel.get(),
            limits: limits.into(),
            ..gristmill_engine::Options::default()
        },
    }
}

fn lanes(names: &[String]) -> Vec<Lane> {
    names.iter().map(|name| Lane::from(name.as_str())).collect()
}

/// Tells processes apart in the listings of PostgreSQL and RabbitMQ.
fn process_name(of: &str) -> String {
    format!("{of}-{}", std::process::id())
}

/// What the system calls this machine; in a container its id.
fn host_name() -> String {
    let read = || std::fs::read_to_string("/etc/hostname").ok();
    let name = std::env::var("HOSTNAME").ok().or_else(read).unwrap_or_default();
    if name.trim().is_empty() {
        "worker".to_owned()
    } else {
        name.trim().to_owned()
    }
}
