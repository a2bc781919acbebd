//! Loading: the layers, one over the other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::{Config as Layers, Value};

use super::layer::Layer;
use super::{Config, ConfigError};

const DEFAULT: &str = include_str!("../../../../config/default.toml");
const PRODUCTION: &str = include_str!("../../../../config/production.toml");

/// Variables that other tools share with us, and the keys that they set.
const WELL_KNOWN: [(&str, &str); 2] = [("DATABASE_URL", "database.url"), ("AMQP_URL", "broker.url")];

/// What every other variable of ours begins with.
const PREFIX: &str = "GRISTMILL__";

/// Where values may come from besides the defaults.
#[derive(Debug, Default)]
pub struct Sources {
    /// What the command wants unless somebody says otherwise: keys and values.
    pub presets: Vec<(&'static str, String)>,
    /// `GRISTMILL_PROFILE`.
    pub profile: Option<String>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The process's environment, or a test's.
    pub environment: Vec<(String, String)>,
    /// Flags: their name, the key they set, and the value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// A configuration, and where each value of it came from.
#[derive(Debug)]
pub struct Loaded {
    /// What is in force.
    pub config: Config,
    pub(super) values: BTreeMap<String, Value>,
}

/// Reads and checks the configuration.
///
/// # Errors
/// [`ConfigError`], which names the key that is unknown or has a bad value.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let defaults = Layer::toml("config/default.toml", DEFAULT)?;
    let mut layers = vec![defaults.clone(), presets(sources, &defaults)];
    layers.extend(profile(sources.profile.as_deref())?);
    layers.extend(file(sources)?);
    layers.push(environment(sources, &defaults));
    layers.push(flags(sources, &defaults));
    let mut values = BTreeMap::new();
    let mut builder = Layers::builder();
    for layer in layers {
        layer.check_keys(&defaults)?;
        values.extend(layer.iter().map(|(key, value)| (key.to_owned(), value.clone())));
        builder = builder.add_source(layer);
    }
    let config = builder
        .build()
        .and_then(Layers::try_deserialize)
        .map_err(|error| ConfigError::Type(Box::new(error)))?;
    let loaded = Loaded { config, values };
    loaded.validate()?;
    Ok(loaded)
}

impl Loaded {
    /// Where a value came from.
    pub(super) fn origin(&self, key: &str) -> &str {
        self.values.get(key).and_then(Value::origin).unwrap_or_default()
    }
}

fn presets(sources: &Sources, defaults: &Layer) -> Layer {
    let mut layer = Layer::default();
    for (key, value) in &sources.presets {
        layer.insert_text((*key).to_owned(), "this command's default", value, defaults);
    }
    layer
}

fn profile(name: Option<&str>) -> Result<Option<Layer>, ConfigError> {
    match name {
        None | Some("" | "default") => Ok(None),
        Some("production") => Layer::toml("config/production.toml", PRODUCTION).map(Some),
        Some(other) => Err(ConfigError::Profile(other.to_owned())),
    }
}

fn file(sources: &Sources) -> Result<Option<Layer>, ConfigError> {
    let Some(path) = &sources.file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
        path: path.clone(),
        source,
    })?;
    Layer::toml(&path.display().to_string(), &text).map(Some)
}

fn environment(sources: &Sources, defaults: &Layer) -> Layer {
    let mut layer = Layer::default();
    // The well-known names first, so that the explicit one wins where both are set.
    for (variable, key) in WELL_KNOWN {
        let value = sources
            .environment
            .iter()
            .find(|(name, value)| name == variable && !value.is_empty());
        if let Some((_, value)) = value {
            layer.insert_text(key.to_owned(), variable, value, defaults);
        }
    }
    for (name, value) in &sources.environment {
        if let Some(key) = name.strip_prefix(PREFIX) {
            layer.insert_text(key.to_lowercase().replace("__", "."), name, value, defaults);
        }
    }
    layer
}

fn flags(sources: &Sources, defaults: &Layer) -> Layer {
    let mut layer = Layer::default();
    for (flag, key, value) in &sources.flags {
        layer.insert_text((*key).to_owned(), flag, value, defaults);
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn environment(variables: &[(&str, &str)]) -> Sources {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Sources {
            environment,
            ..Sources::default()
        }
    }

    fn refused(sources: &Sources) -> String {
        let error = load(sources).unwrap_err();
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{error}: {cause}")
    }

    #[test]
    fn the_default_file_is_complete_and_has_nothing_else() {
        // No field has a default of its own, and unknown keys are refused: so loading shows both directions.
        let config = load(&Sources::default()).unwrap().config;
        assert_eq!(config.lanes, ["default", "bulk"]);
        assert_eq!(config.worker.lease.0, Duration::from_secs(15));
    }

    #[test]
    fn later_layers_win() {
        let mut sources = environment(&[
            ("GRISTMILL__API__LISTEN", "127.0.0.1:1"),
            ("GRISTMILL__WORKER__LANES", "bulk, default"),
            ("DATABASE_URL", "postgres://somewhere/else"),
            ("GRISTMILL__DATABASE__URL", "postgres://here/it"),
            ("GRISTMILL_SERVICES_DIR", "not ours"),
        ]);
        sources.profile = Some("production".into());
        sources.presets.push(("log.filter", "warn".into()));
        sources
            .flags
            .push(("--concurrency", "worker.concurrency", "3".into()));
        let loaded = load(&sources).unwrap();
        let config = &loaded.config;
        assert_eq!(config.api.listen.port(), 1);
        assert_eq!(config.worker.lanes, ["bulk", "default"]);
        assert_eq!(config.worker.concurrency.get(), 3);
        assert_eq!(config.database.pool_size.get(), 16);
        assert_eq!(config.log.filter, "warn");
        let origins = [
            "api.listen",
            "worker.concurrency",
            "log.format",
            "database.url",
            "http.timeout",
        ]
        .map(|key| loaded.origin(key));
        assert_eq!(
            origins,
            [
                "GRISTMILL__API__LISTEN",
                "--concurrency",
                "config/production.toml",
                "GRISTMILL__DATABASE__URL",
                "config/default.toml"
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_its_neighbours() {
        let message = refused(&environment(&[("GRISTMILL__API__LISEN", "127.0.0.1:1")]));
        assert!(
            message.contains("unknown key `api.lisen` (GRISTMILL__API__LISEN)"),
            "{message}"
        );
        assert!(
            message.contains("the keys of [api] are drain_grace, key_ttl, listen, max_batch_bytes,"),
            "{message}"
        );
        let message = refused(&environment(&[("GRISTMILL__APY__LISTEN", "127.0.0.1:1")]));
        assert!(
            message.contains("the sections and keys at the top are api, auth, broker, data_dir,"),
            "{message}"
        );
    }

    #[test]
    fn a_bad_value_is_named_with_its_key() {
        for (variable, value, key) in [
            ("GRISTMILL__WORKER__CONCURRENCY", "many", "worker.concurrency"),
            ("GRISTMILL__WORKER__CONCURRENCY", "0", "worker.concurrency"),
            ("GRISTMILL__WORKER__LEASE", "15", "worker.lease"),
            ("GRISTMILL__WORKER__LEASE", "6s", "worker.lease"),
            ("GRISTMILL__WORKER__LANES", "express", "worker.lanes"),
            ("GRISTMILL__API__LISTEN", "8080", "api.listen"),
            (
                "GRISTMILL__WORKER__METRICS_LISTEN",
                "9464",
                "worker.metrics_listen",
            ),
            ("GRISTMILL__LOG__FORMAT", "xml", "log.format"),
            ("GRISTMILL__LOG__FILTER", "a=b=c", "log.filter"),
            ("GRISTMILL__LANES", "bulk", "lanes"),
            ("DATABASE_URL", "mysql://localhost", "database.url"),
            ("AMQP_URL", "localhost:5672", "broker.url"),
            ("GRISTMILL__BROKER__HEARTBEAT", "500ms", "broker.heartbeat"),
            ("GRISTMILL__AUTH__ALGORITHM", "none", "auth.algorithm"),
            ("GRISTMILL__AUTH__ALGORITHM", "HS256", "auth.secret"),
            ("GRISTMILL__AUTH__ALGORITHM", "RS256", "auth.jwks"),
            (
                "GRISTMILL__AUTH__ISSUER",
                "https://issuer.example",
                "auth.algorithm",
            ),
        ] {
            let message = refused(&environment(&[(variable, value)]));
            assert!(
                message.contains(&format!("`{key}`")),
                "{variable}={value}: {message}"
            );
        }
    }

    #[test]
    fn tokens_need_keys_that_fit_their_algorithm_and_everything_that_is_checked() {
        let given = |more: &[(&str, &str)]| {
            let mut variables = vec![
                ("GRISTMILL__AUTH__ISSUER", "https://issuer.example"),
                ("GRISTMILL__AUTH__AUDIENCE", "gristmill"),
            ];
            variables.extend(more);
            environment(&variables)
        };
        let secret = ("GRISTMILL__AUTH__SECRET", "0123456789abcdef0123456789abcdef");
        let (hs256, es256) = (
            ("GRISTMILL__AUTH__ALGORITHM", "HS256"),
            ("GRISTMILL__AUTH__ALGORITHM", "ES256"),
        );
        let url = |url| ("GRISTMILL__AUTH__JWKS", url);
        for good in [
            given(&[hs256, secret]),
            given(&[es256, url("https://issuer.example/keys")]),
            given(&[es256, url("http://127.0.0.1:9/keys")]),
        ] {
            assert!(load(&good).unwrap().config.auth.tokens().unwrap().is_some());
        }
        for (bad, key) in [
            (
                given(&[hs256, ("GRISTMILL__AUTH__SECRET", "short")]),
                "auth.secret",
            ),
            (given(&[es256, secret]), "auth.secret"),
            (given(&[es256, url("http://issuer.example/keys")]), "auth.jwks"),
            (given(&[es256, url("/nowhere/keys.json")]), "auth.jwks"),
            (
                given(&[hs256, secret, url("https://issuer.example/keys")]),
                "auth.jwks",
            ),
            (environment(&[hs256, secret]), "auth.issuer"),
            (
                given(&[hs256, secret, ("GRISTMILL__AUTH__AUDIENCE", "")]),
                "auth.audience",
            ),
        ] {
            let message = refused(&bad);
            assert!(message.contains(&format!("`{key}`")), "{key}: {message}");
        }
        let shown = load(&given(&[hs256, secret])).unwrap().show();
        assert!(
            !shown.contains("0123456789abcdef") && shown.contains("auth.secret = \"***\""),
            "{shown}"
        );
    }

    #[test]
    fn an_unknown_profile_and_a_missing_file_are_refused() {
        let sources = Sources {
            profile: Some("prod".into()),
            ..Sources::default()
        };
        assert!(refused(&sources).contains("there is no profile `prod`"));
        let sources = Sources {
            file: Some("/nowhere/at.toml".into()),
            ..Sources::default()
        };
        assert!(refused(&sources).contains("/nowhere/at.toml"));
    }
}
