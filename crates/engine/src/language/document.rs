//! A JSON object as expressions see it: scalars are converted one by one, and the whole of it at most once.

use std::sync::OnceLock;

use gristmill_core::journal::Output;
use minijinja::Value;
use serde_json::Value as Json;

use crate::language::value::from_json;

/// An object that never changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    members: Output,
    /// Made when something other than a scalar is first asked for; its parts are then shared by all who ask. Boxed: most
    /// are never made.
    whole: OnceLock<Box<Value>>,
}

impl Document {
    pub(crate) fn new(members: Output) -> Self {
        Self {
            members,
            whole: OnceLock::new(),
        }
    }

    pub(crate) fn members(&self) -> &Output {
        &self.members
    }

    /// One member.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        match self.members.get(key)? {
            Json::Array(_) | Json::Object(_) => self.whole().get_attr(key).ok(),
            scalar => Some(from_json(scalar)),
        }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Value {
        self.whole
            .get_or_init(|| Box::new(Value::from(minijinja::value::Serde(&self.members))))
            .as_ref()
            .clone()
    }
}
