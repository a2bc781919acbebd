//! View: the names that one node can see, as an object that expressions ask.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::Memory;

/// What one node can see of the memory.
pub(crate) struct View {
    memory: Arc<Memory>,
    instance: u32,
    node: u32,
}

/// `nodes`: what the node's ancestors came to, by their ids.
struct Nodes(View);

/// `nodes.<id>`.
struct Seen(View);

impl View {
    /// The view as an expression's context.
    pub(crate) fn context(memory: Arc<Memory>, instance: u32, node: u32) -> Value {
        Value::from_object(Self {
            memory,
            instance,
            node,
        })
    }
}

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "input" => Some(self.memory.input.whole()),
            "vars" => Some(self.memory.plan.variables.whole()),
            "execution" => Some(self.memory.execution.clone()),
            "nodes" => {
                let view = Self {
                    memory: Arc::clone(&self.memory),
                    instance: self.instance,
                    node: self.node,
                };
                Some(Value::from_object(Nodes(view)))
            }
            key => self.memory.look_up(self.instance, self.node, key),
        }
    }
}

impl Object for Nodes {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let View {
            memory,
            instance,
            node,
        } = &self.0;
        let seen = memory.plan.index(key)?;
        let instance = memory.find(*instance, *node, seen)?;
        Some(Value::from_object(Seen(View {
            memory: Arc::clone(memory),
            instance,
            node: seen,
        })))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.memory.seen(self.0.instance, self.0.node))
    }
}

impl Object for Seen {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let trace = self.0.memory.trace(self.0.instance, self.0.node)?;
        match key {
            "status" => Some(Value::from(trace.status)),
            "output" => Some(trace.output.whole()),
            "error" => Some(trace.error().unwrap_or_else(|| Value::from(()))),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["status", "output", "error"])
    }
}

// The engine asks for these; the memory behind a view would fill the log.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({})", self.memory.plan.node(self.node).id)
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nodes({:?})", self.0)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({:?})", self.0)
    }
}
