//! Memory: what an execution has come to so far, and what each node can see of it. Nothing is ever merged into one map: a
//! name is looked up among the nodes that wrote it, when it is asked for.

mod view;
mod writers;

pub(crate) use view::View;

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_core::journal::{NodeError, Output};
use minijinja::Value;
use serde_json::{Map, Value as Json};

use crate::Plan;
use crate::graph::plan::Merge;
use crate::language::document::Document;
use crate::language::value::from_json;

use writers::Writers;

/// The input, and what every node run that ended has left.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    plan: Arc<Plan>,
    input: Document,
    /// What expressions see as `execution`.
    execution: Value,
    /// One for the whole workflow, then one for each item that began, as the state numbers them.
    instances: Vec<Instance>,
}

/// One run of a body.
#[derive(Debug, Clone)]
struct Instance {
    body: u32,
    /// For which item of which `forEach` run; `None` for the whole workflow.
    item: Option<Item>,
    /// What the body's nodes have left, by rank; as far as any has ended.
    traces: Vec<Option<Trace>>,
    /// For every merged key, the nodes that wrote it, counted within the body.
    writers: HashMap<String, Writers>,
}

#[derive(Debug, Clone)]
struct Item {
    /// The instance that the `forEach` runs in, and the `forEach`.
    outer: u32,
    each: u32,
    value: Value,
    index: u32,
}

/// What a node run that ended has left.
#[derive(Debug, Clone)]
struct Trace {
    status: &'static str,
    /// Of one that failed: its error.
    output: Document,
}

impl Memory {
    pub(crate) fn new(plan: Arc<Plan>, input: Map<String, Json>, execution: Value) -> Self {
        let whole = Instance::new(&plan, 0, None);
        Self {
            plan,
            input: Document::new(input.into()),
            execution,
            instances: vec![whole],
        }
    }

    /// An item begins. Its instance has the next number.
    pub(crate) fn begin_item(&mut self, outer: u32, each: u32, body: u32, index: u32, value: &Json) {
        let item = Item {
            outer,
            each,
            value: from_json(value),
            index,
        };
        self.instances.push(Instance::new(&self.plan, body, Some(item)));
    }

    /// What the nodes of an instance wrote, by rank; nobody will look at the instance again.
    pub(crate) fn end_item(&mut self, instance: u32) -> Map<String, Json> {
        let mut result = Map::new();
        self.merge_into(&mut result, instance);
        let instance = &mut self.instances[instance as usize];
        instance.traces = Vec::new();
        instance.writers = HashMap::new();
        result
    }

    /// A node completed.
    pub(crate) fn complete(&mut self, instance: u32, node: u32, output: Output) {
        self.write(instance, node, "COMPLETED", output);
    }

    /// A node failed and the execution goes on: the failure is the node's output.
    pub(crate) fn fail(&mut self, instance: u32, node: u32, error: &NodeError, attempts: u32) {
        let output = Map::from_iter([("error".to_owned(), failure(error, attempts))]);
        self.write(instance, node, "FAILED", output.into());
    }

    /// A node ended without running.
    pub(crate) fn pass(&mut self, instance: u32, node: u32, status: &'static str) {
        let place = self.local(instance, node);
        let trace = Trace {
            status,
            output: Document::default(),
        };
        self.instances[instance as usize].leave(place, trace);
    }

    /// The result of the execution: the input, then what the nodes wrote, by rank.
    pub(crate) fn result(&self) -> Map<String, Json> {
        let mut result = self.input.members().to_map();
        self.merge_into(&mut result, 0);
        result
    }

    fn merge_into(&self, result: &mut Map<String, Json>, instance: u32) {
        let instance = &self.instances[instance as usize];
        if instance.writers.len() * FEW <= instance.traces.len() {
            return instance.merge_last_writers(&self.plan, result);
        }
        let nodes = self.plan.body(instance.body).nodes.clone();
        for (trace, node) in instance.traces.iter().zip(nodes) {
            let Some(trace) = trace.as_ref().filter(|trace| trace.writes()) else {
                continue;
            };
            let output = trace.output.members();
            match &self.plan.node(node).merge {
                Merge::Never => {}
                Merge::Keys => {
                    result.extend(output.iter().map(|(key, value)| (key.to_owned(), value.clone())))
                }
                Merge::Under(key) => {
                    result.insert(key.to_string(), Json::Object(output.to_map()));
                }
            }
        }
    }

    fn write(&mut self, instance: u32, node: u32, status: &'static str, output: Output) {
        let place = self.local(instance, node);
        let instance = &mut self.instances[instance as usize];
        let mut note = |key: &str| match instance.writers.get_mut(key) {
            Some(writers) => writers.add(place as u32),
            None => {
                instance
                    .writers
                    .insert(key.to_owned(), Writers::one(place as u32));
            }
        };
        match &self.plan.node(node).merge {
            Merge::Never => {}
            Merge::Keys => output.keys().for_each(&mut note),
            Merge::Under(key) => note(key),
        }
        let trace = Trace {
            status,
            output: Document::new(output),
        };
        instance.leave(place, trace);
    }

    /// A name as `node` sees it: the item, what the node's ancestors wrote, what the `forEach` around it sees, the input.
    fn look_up(&self, mut instance: u32, mut node: u32, key: &str) -> Option<Value> {
        loop {
            let here = &self.instances[instance as usize];
            match (&here.item, key) {
                (Some(item), "item") => return Some(item.value.clone()),
                (Some(item), "index") => return Some(Value::from(item.index)),
                _ => {}
            }
            if let Some(writers) = here.writers.get(key) {
                let body = self.plan.body(here.body);
                let place = node - body.nodes.start;
                let writes = |place: u32| here.writes(&self.plan, place, key);
                if let Some(writer) = writers.nearest(&body.ancestors, place, writes) {
                    return here.written(&self.plan, writer, key);
                }
            }
            match &here.item {
                None => return self.input.get(key),
                Some(item) => (instance, node) = (item.outer, item.each),
            }
        }
    }

    /// The instance in which `node` can see `seen`, if it can.
    fn find(&self, mut instance: u32, mut node: u32, seen: u32) -> Option<u32> {
        loop {
            let here = &self.instances[instance as usize];
            let body = self.plan.body(here.body);
            if body.nodes.contains(&seen) {
                let start = body.nodes.start;
                return body
                    .ancestors
                    .contains(node - start, seen - start)
                    .then_some(instance);
            }
            let item = here.item.as_ref()?;
            (instance, node) = (item.outer, item.each);
        }
    }

    /// The ids of all nodes that `node` can see, outer ones first.
    fn seen(&self, instance: u32, node: u32) -> Vec<Value> {
        let here = &self.instances[instance as usize];
        let mut ids = here
            .item
            .as_ref()
            .map_or_else(Vec::new, |item| self.seen(item.outer, item.each));
        let body = self.plan.body(here.body);
        let start = body.nodes.start;
        let ancestors = body.ancestors.of(node - start);
        ids.extend(ancestors.map(|place| Value::from(self.plan.node_id(start + place))));
        ids
    }

    fn local(&self, instance: u32, node: u32) -> usize {
        let body = self.instances[instance as usize].body;
        (node - self.plan.body(body).nodes.start) as usize
    }

    fn trace(&self, instance: u32, node: u32) -> Option<&Trace> {
        let traces = &self.instances[instance as usize].traces;
        traces.get(self.local(instance, node))?.as_ref()
    }
}

/// Where there are so many nodes to a key, each key is looked at once rather than each output.
const FEW: usize = 4;

impl Instance {
    /// What every key was set to last. The keys come in the order in which they were first set, as if one output after the
    /// other had been merged.
    fn merge_last_writers(&self, plan: &Plan, result: &mut Map<String, Json>) {
        let start = plan.body(self.body).nodes.start;
        let written = |place: u32| {
            let output = self.traces[place as usize].as_ref()?.output.members();
            Some((&plan.node(start + place).merge, output))
        };
        let place_in_output = |place: u32, key: &str| match written(place)? {
            (Merge::Keys, output) => output.keys().position(|known| known == key),
            (Merge::Under(_) | Merge::Never, _) => None,
        };
        let mut keys: Vec<_> = self
            .writers
            .iter()
            .map(|(key, writers)| {
                (
                    writers.first(),
                    place_in_output(writers.first(), key),
                    writers.last(),
                    key,
                )
            })
            .collect();
        keys.sort_unstable();
        for (_, _, last, key) in keys {
            let value = match written(last) {
                Some((Merge::Keys, output)) => output.get(key).cloned(),
                Some((Merge::Under(_), output)) => Some(Json::Object(output.to_map())),
                Some((Merge::Never, _)) | None => None,
            };
            result.extend(value.map(|value| (key.clone(), value)));
        }
    }

    fn new(plan: &Plan, body: u32, item: Option<Item>) -> Self {
        Self {
            body,
            item,
            traces: Vec::with_capacity(plan.body(body).nodes.len()),
            writers: HashMap::new(),
        }
    }

    fn leave(&mut self, place: usize, trace: Trace) {
        if place >= self.traces.len() {
            self.traces.resize(place + 1, None);
        }
        self.traces[place] = Some(trace);
    }

    /// Whether the node at `place` wrote a merged key.
    fn writes(&self, plan: &Plan, place: u32, key: &str) -> bool {
        let Some(trace) = self.traces[place as usize]
            .as_ref()
            .filter(|trace| trace.writes())
        else {
            return false;
        };
        match &plan.node(plan.body(self.body).nodes.start + place).merge {
            Merge::Under(name) => **name == *key,
            Merge::Keys => trace.output.members().get(key).is_some(),
            Merge::Never => false,
        }
    }

    /// What the node at `place` wrote under a merged key.
    fn written(&self, plan: &Plan, place: u32, key: &str) -> Option<Value> {
        let trace = self.traces[place as usize].as_ref()?;
        match &plan.node(plan.body(self.body).nodes.start + place).merge {
            Merge::Under(_) => Some(trace.output.whole()),
            Merge::Keys => trace.output.get(key),
            Merge::Never => None,
        }
    }
}

impl Trace {
    /// Why the node failed.
    fn error(&self) -> Option<Value> {
        (self.status == "FAILED")
            .then(|| self.output.get("error"))
            .flatten()
    }

    /// Skipped and disabled nodes write nothing, not even under their `output` key.
    fn writes(&self) -> bool {
        matches!(self.status, "COMPLETED" | "FAILED")
    }
}

/// A failure as outputs hold it: `{…details, code, message, attempts}`.
pub(crate) fn failure(error: &NodeError, attempts: u32) -> Json {
    let mut inner = error.details.clone();
    inner.insert("code".to_owned(), Json::from(error.code.as_str()));
    inner.insert("message".to_owned(), Json::from(error.message.as_str()));
    inner.insert("attempts".to_owned(), Json::from(attempts));
    Json::Object(inner)
}
