//! Scope: what a node's expressions can see.

use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::Value;
use serde_json::Map;

use crate::NodeFailure;
use crate::language::value::from_json;

/// The names that a node's expressions can see, resolved when they are asked for; one for each time that the node runs.
#[derive(Debug)]
pub struct Scope {
    names: Value,
    /// How many bytes of JSON its templates have come to.
    rendered: AtomicUsize,
}

impl Scope {
    /// A scope of fixed names, for running a kind on its own.
    pub fn from_json(names: Map<String, serde_json::Value>) -> Self {
        Self::of(from_json(&serde_json::Value::Object(names)))
    }

    pub(crate) fn of(context: Value) -> Self {
        Self {
            names: context,
            rendered: AtomicUsize::new(0),
        }
    }

    pub(crate) fn context(&self) -> Value {
        self.names.clone()
    }

    /// Notes that a template has come to so many `bytes` of JSON.
    ///
    /// # Errors
    /// When that are more than `most` in all.
    pub(crate) fn render(&self, bytes: usize, most: usize) -> Result<(), NodeFailure> {
        let before = self.rendered.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > most {
            let message =
                format!("what the node renders is larger than limits.max_node_output, {most} bytes");
            return Err(NodeFailure::last("node_output_limit", message));
        }
        Ok(())
    }

    /// How many bytes of JSON its templates have come to.
    #[cfg(test)]
    pub(crate) fn rendered(&self) -> usize {
        self.rendered.load(Ordering::Relaxed)
    }
}
