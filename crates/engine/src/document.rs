//! A JSON object as expressions see it: scalars are converted one by one, and the whole of it at most once.

use std::sync::{Arc, OnceLock};

use minijinja::Value;
use serde_json::{Map, Value as Json};

use crate::value::from_json;

/// An object that never changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    map: Arc<Map<String, Json>>,
    /// Made when something other than a scalar is first asked for; its parts are then shared by all who ask.
    whole: OnceLock<Value>,
}

impl Document {
    pub(crate) fn new(map: Arc<Map<String, Json>>) -> Self {
        Self {
            map,
            whole: OnceLock::new(),
        }
    }

    pub(crate) fn map(&self) -> &Map<String, Json> {
        &self.map
    }

    /// One member.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        match self.map.get(key)? {
            Json::Array(_) | Json::Object(_) => self.whole().get_attr(key).ok(),
            scalar => Some(from_json(scalar)),
        }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Value {
        self.whole
            .get_or_init(|| Value::from(minijinja::value::Serde(&*self.map)))
            .clone()
    }
}
