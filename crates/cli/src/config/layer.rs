//! One layer of configuration: keys with their values, and where each came from.

use std::collections::BTreeMap;

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::ConfigError;

/// Dotted keys, such as `api.listen`, with their values; a value carries its origin.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(BTreeMap<String, Value>);

impl Layer {
    /// A TOML document; `origin` is what messages call it.
    pub(super) fn toml(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let document = File::from_str(text, FileFormat::Toml)
            .collect()
            .map_err(|source| ConfigError::Syntax {
                origin: origin.to_owned(),
                source: Box::new(source),
            })?;
        let mut layer = Self::default();
        for (key, value) in document {
            layer.flatten(origin, key, value);
        }
        Ok(layer)
    }

    fn flatten(&mut self, origin: &str, key: String, value: Value) {
        match value.kind {
            ValueKind::Table(table) => {
                for (name, value) in table {
                    self.flatten(origin, format!("{key}.{name}"), value);
                }
            }
            kind => self.insert(key, origin, kind),
        }
    }

    pub(super) fn insert(&mut self, key: String, origin: &str, kind: ValueKind) {
        self.0.insert(key, Value::new(Some(&origin.to_owned()), kind));
    }

    /// Puts a value in that was written as one text, as variables and flags are: a list is split at its commas.
    pub(super) fn insert_text(&mut self, key: String, origin: &str, text: &str, defaults: &Self) {
        let kind = match defaults.0.get(&key).map(|value| &value.kind) {
            Some(ValueKind::Array(_)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let origin = origin.to_owned();
                ValueKind::Array(items.map(|item| Value::new(Some(&origin), item)).collect())
            }
            _ => ValueKind::String(text.to_owned()),
        };
        self.insert(key, origin, kind);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Makes sure that all keys are among those of `defaults`, which has every key there is.
    pub(super) fn check_keys(&self, defaults: &Self) -> Result<(), ConfigError> {
        let Some((key, value)) = self.iter().find(|(key, _)| !defaults.0.contains_key(*key)) else {
            return Ok(());
        };
        let origin = value.origin().unwrap_or_default().to_owned();
        Err(ConfigError::UnknownKey {
            key: key.to_owned(),
            origin,
            known: defaults.near(key),
        })
    }

    /// The keys of the section that `key` wants to be in, or the sections when there is none of that name.
    fn near(&self, key: &str) -> String {
        let section = key.split('.').next().unwrap_or_default();
        let within = |key: &'_ str| key.strip_prefix(section)?.strip_prefix('.').map(str::to_owned);
        let keys: Vec<_> = self.iter().filter_map(|(key, _)| within(key)).collect();
        if !keys.is_empty() {
            return format!("the keys of [{section}] are {}", keys.join(", "));
        }
        let mut top: Vec<_> = self.iter().filter_map(|(key, _)| key.split('.').next()).collect();
        top.dedup();
        format!("the sections and keys at the top are {}", top.join(", "))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone().into_iter().collect())
    }
}
