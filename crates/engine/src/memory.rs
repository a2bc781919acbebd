//! What an execution has come to so far, and what each node can see of it. Nothing is ever merged into one map: a name
//! is looked up among the nodes that wrote it, when it is asked for.

mod view;

pub(crate) use view::View;

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_core::journal::NodeError;
use minijinja::Value;
use serde_json::{Map, Value as Json};

use crate::Plan;
use crate::document::Document;
use crate::plan::{Above, Merge};

/// The input, and what every node that ended has left.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    plan: Arc<Plan>,
    input: Document,
    /// What expressions see as `execution`.
    execution: Value,
    traces: Vec<Option<Trace>>,
    /// For every merged key, the nodes that wrote it, lowest rank first.
    writers: HashMap<String, Vec<u32>>,
}

/// What a node that ended has left.
#[derive(Debug, Clone)]
struct Trace {
    status: &'static str,
    output: Document,
    error: Option<NodeError>,
}

impl Memory {
    pub(crate) fn new(plan: Arc<Plan>, input: Map<String, Json>, execution: Value) -> Self {
        let traces = vec![None; plan.len()];
        Self {
            plan,
            input: Document::new(input),
            execution,
            traces,
            writers: HashMap::new(),
        }
    }

    /// A node completed.
    pub(crate) fn complete(&mut self, node: u32, output: Map<String, Json>) {
        self.write(node, "COMPLETED", output, None);
    }

    /// A node failed and the execution goes on: the failure is the node's output.
    pub(crate) fn fail(&mut self, node: u32, error: NodeError, attempts: u32) {
        let mut inner = error.details.clone();
        inner.insert("code".to_owned(), Json::from(error.code.as_str()));
        inner.insert("message".to_owned(), Json::from(error.message.as_str()));
        inner.insert("attempts".to_owned(), Json::from(attempts));
        let mut output = Map::new();
        output.insert("error".to_owned(), Json::Object(inner));
        self.write(node, "FAILED", output, Some(error));
    }

    /// A node ended without running.
    pub(crate) fn pass(&mut self, node: u32, status: &'static str) {
        self.traces[node as usize] = Some(Trace {
            status,
            output: Document::default(),
            error: None,
        });
    }

    /// The result of the execution: the input, then what the nodes wrote, by rank.
    pub(crate) fn result(&self) -> Map<String, Json> {
        let mut result = self.input.map().clone();
        for (trace, node) in self.traces.iter().zip(&self.plan.nodes) {
            let Some(trace) = trace.as_ref().filter(|trace| trace.writes()) else {
                continue;
            };
            match &node.merge {
                Merge::Never => {}
                Merge::Keys => {
                    result.extend(
                        trace
                            .output
                            .map()
                            .iter()
                            .map(|(key, value)| (key.clone(), value.clone())),
                    );
                }
                Merge::Under(key) => {
                    result.insert(key.clone(), Json::Object(trace.output.map().clone()));
                }
            }
        }
        result
    }

    fn write(
        &mut self,
        node: u32,
        status: &'static str,
        output: Map<String, Json>,
        error: Option<NodeError>,
    ) {
        match &self.plan.node(node).merge {
            Merge::Never => {}
            Merge::Keys => {
                for key in output.keys() {
                    add_writer(&mut self.writers, key, node);
                }
            }
            Merge::Under(key) => add_writer(&mut self.writers, key, node),
        }
        self.traces[node as usize] = Some(Trace {
            status,
            output: Document::new(output),
            error,
        });
    }

    /// A merged key as `node` sees it: from the highest of its ancestors that wrote it, else from the input.
    fn merged(&self, node: u32, key: &str) -> Option<Value> {
        let writers = self.writers.get(key).map_or(&[][..], Vec::as_slice);
        let below = writers.partition_point(|&writer| writer < node);
        let mut at = node;
        // From the writers down and from the node up, in turns: the first is slow among many siblings that write the same
        // key, the second below a long chain that does not write it.
        for &writer in writers[..below].iter().rev() {
            if self.plan.ancestors.contains(node, writer) {
                return self.written(writer, key);
            }
            match self.plan.ancestors.above(at) {
                Above::Only(parent) => at = parent,
                Above::Nothing => break,
                Above::Several => continue,
            }
            if let Some(value) = self.written(at, key) {
                return Some(value);
            }
        }
        self.input.get(key)
    }

    /// What `node` wrote under a merged key.
    fn written(&self, node: u32, key: &str) -> Option<Value> {
        let trace = self.traces[node as usize]
            .as_ref()
            .filter(|trace| trace.writes())?;
        match &self.plan.node(node).merge {
            Merge::Under(name) => (name == key).then(|| trace.output.whole()),
            Merge::Keys => trace.output.get(key),
            Merge::Never => None,
        }
    }
}

impl Trace {
    /// Skipped and disabled nodes write nothing, not even under their `output` key.
    fn writes(&self) -> bool {
        matches!(self.status, "COMPLETED" | "FAILED")
    }
}

fn add_writer(writers: &mut HashMap<String, Vec<u32>>, key: &str, node: u32) {
    match writers.get_mut(key) {
        Some(list) => {
            // Effects may end in any order; nearly always the new one belongs at the end.
            let place = list.partition_point(|&writer| writer < node);
            list.insert(place, node);
        }
        None => {
            writers.insert(key.to_owned(), vec![node]);
        }
    }
}
