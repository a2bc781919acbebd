//! Validate: what types cannot say about the values.

use std::collections::HashSet;
use std::time::Duration;

use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;

use super::{ConfigError, Loaded};

/// How long before its lease ends a worker stops its effects; a lease must leave room for renewals before that.
const LEASE_MARGIN: Duration = Duration::from_secs(3);

impl Loaded {
    /// Checks the values for sense.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.check_lanes()?;
        self.check_urls()?;
        self.check_times()?;
        if let Err((key, message)) = self.config.auth.tokens() {
            return self.check(key, false, || message);
        }
        let worker = &self.config.worker;
        let listens = worker.metrics_listen.is_empty() || worker.metrics_listen().is_some();
        self.check("worker.metrics_listen", listens, || {
            "expected ADDRESS:PORT, or nothing".into()
        })?;
        let prefix = &self.config.broker.prefix;
        self.check("broker.prefix", is_name(prefix), || {
            "expected letters, digits, `.`, `-` and `_`".into()
        })?;
        if let Err(error) = EnvFilter::try_new(&self.config.log.filter) {
            return self.check("log.filter", false, || error.to_string());
        }
        Ok(())
    }

    fn check_lanes(&self) -> Result<(), ConfigError> {
        let lanes = &self.config.lanes;
        let bad = lanes.iter().find(|lane| !is_name(lane));
        self.check("lanes", bad.is_none(), || {
            format!(
                "`{}` is no lane's name: expected letters, digits, `.`, `-` and `_`",
                bad.map_or("", |bad| bad)
            )
        })?;
        let unique: HashSet<_> = lanes.iter().collect();
        self.check("lanes", unique.len() == lanes.len(), || {
            "a lane is listed twice".into()
        })?;
        self.check("lanes", lanes.iter().any(|lane| lane == "default"), || {
            "`default` must be among the lanes: workflows that name no lane go there".into()
        })?;
        let unknown = self.config.worker.lanes.iter().find(|lane| !lanes.contains(lane));
        self.check("worker.lanes", unknown.is_none(), || {
            format!(
                "`{}` is not among `lanes`: {}",
                unknown.map_or("", |lane| lane),
                lanes.join(", ")
            )
        })
    }

    /// The messages never repeat the URL: it may hold a password.
    fn check_urls(&self) -> Result<(), ConfigError> {
        let begins = |url: &str, schemes: &[&str]| {
            url.is_empty() || schemes.iter().any(|scheme| url.starts_with(scheme))
        };
        let database = self.config.database.url.expose_secret();
        self.check(
            "database.url",
            begins(database, &["postgres://", "postgresql://", "sqlite:"]),
            || "expected postgres://USER:PASSWORD@HOST/DATABASE, or nothing for SQLite".into(),
        )?;
        let broker = self.config.broker.url.expose_secret();
        self.check("broker.url", begins(broker, &["amqp://", "amqps://"]), || {
            "expected amqp://USER:PASSWORD@HOST/VHOST, or nothing for the in-process broker".into()
        })
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let config = &self.config;
        for (key, time) in [
            ("database.connect_timeout", config.database.connect_timeout),
            ("database.acquire_timeout", config.database.acquire_timeout),
            ("database.statement_timeout", config.database.statement_timeout),
            ("database.lock_timeout", config.database.lock_timeout),
            (
                "database.idle_in_transaction_timeout",
                config.database.idle_in_transaction_timeout,
            ),
            ("api.max_wait", config.api.max_wait),
            ("api.request_timeout", config.api.request_timeout),
            ("worker.renew", config.worker.renew),
            ("relay.interval", config.relay.interval),
            ("relay.publish_within", config.relay.publish_within),
            ("retention.interval", config.retention.interval),
            ("http.timeout", config.http.timeout),
            ("http.connect_timeout", config.http.connect_timeout),
        ] {
            self.check(key, !time.0.is_zero(), || "must not be zero".into())?;
        }
        let heartbeat = config.broker.heartbeat.0;
        self.check(
            "broker.heartbeat",
            heartbeat.as_secs() >= 1 && heartbeat.as_secs() <= 600,
            || "expected 1s to 10m".into(),
        )?;
        // One renewal may fail, and the next must still come before the worker gives up.
        let least = (config.worker.renew.0 * 3).max(LEASE_MARGIN + config.worker.renew.0 * 2);
        self.check("worker.lease", config.worker.lease.0 >= least, || {
            format!("must be at least {least:?}: three times `worker.renew`, and twice that on top of a margin of {LEASE_MARGIN:?}")
        })
    }

    fn check(
        &self,
        key: &'static str,
        good: bool,
        message: impl FnOnce() -> String,
    ) -> Result<(), ConfigError> {
        if good {
            return Ok(());
        }
        Err(ConfigError::Value {
            key,
            origin: self.origin(key).to_owned(),
            message: message(),
        })
    }
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=100).contains(&text.len()) && text.bytes().all(letter)
}
