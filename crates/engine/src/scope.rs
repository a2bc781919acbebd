//! What a node's expressions can see.

use minijinja::Value;
use serde_json::Map;

use crate::value::from_json;

/// The names that a node's expressions can see, resolved when they are asked for.
#[derive(Debug)]
pub struct Scope(Value);

impl Scope {
    /// A scope of fixed names, for running a kind on its own.
    pub fn from_json(names: Map<String, serde_json::Value>) -> Self {
        Self(from_json(&serde_json::Value::Object(names)))
    }

    pub(crate) fn of(context: Value) -> Self {
        Self(context)
    }

    pub(crate) fn context(&self) -> Value {
        self.0.clone()
    }
}
