//! Settings: the configuration of a test's processes, as they read it from their environment.

use gristmill_queue::RabbitMqOptions;

/// The lanes of the default configuration.
pub(crate) const LANES: [&str; 2] = ["default", "bulk"];

/// The shortest lease that leaves a busy machine some room: three seconds of margin, and three renewals.
pub const SHORT_LEASE: [(&str, &str); 2] = [("worker.lease", "6s"), ("worker.renew", "1s")];

/// What makes the relay quick: how it decides is the same.
const QUICK: [(&str, &str); 2] = [("relay.interval", "200ms"), ("relay.publish_within", "3s")];

/// Keys with their values; later ones win. What is written in capitals is no key but a variable of its own.
#[derive(Clone)]
pub(crate) struct Settings(Vec<(String, String)>);

impl Settings {
    /// What every process is told.
    pub(crate) fn new(database_url: &str, broker: &RabbitMqOptions) -> Self {
        let own = [
            ("database.url", database_url),
            ("broker.url", &broker.url),
            ("broker.prefix", &broker.prefix),
            ("lanes", &LANES.join(",")),
            // The recording endpoint listens on loopback.
            ("http.allow_private_addresses", "true"),
            ("log.format", "json"),
            ("log.filter", "info,gristmill=debug"),
        ];
        let mut settings = Self(Vec::new());
        settings.set_all(&own);
        settings.set_all(&QUICK);
        settings
    }

    pub(crate) fn set_all(&mut self, settings: &[(&str, &str)]) {
        let owned = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.0.extend(owned);
    }

    /// The value of a key that was set.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.find(key).expect("no such setting")
    }

    /// The value of a key, if it was set.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The variables that say all this.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (String, &str)> {
        self.0.iter().map(|(key, value)| {
            let variable = key.to_uppercase();
            let name = if variable == *key {
                variable
            } else {
                format!("GRISTMILL__{}", variable.replace('.', "__"))
            };
            (name, value.as_str())
        })
    }
}
