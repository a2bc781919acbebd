//! Runs of bodies: the whole workflow once, and a `forEach` body once for each item. Items begin as `concurrency` allows,
//! end with their last node or their first failure, and are numbered as they begin.

use std::sync::Arc;

use gristmill_core::ExecutionError;
use serde_json::{Map, Value};

use crate::Behaviour;
use crate::graph::plan::Body;
use crate::run::memory::failure;

use super::ready::ItemOrder;
use super::{NodeRun, Progress, Queue, State};

/// One run of a body.
#[derive(Debug)]
pub(super) struct Instance {
    pub body: u32,
    /// Its first node run; the others follow in rank order.
    pub first: u32,
    /// For which item of which `forEach` run; `None` for the whole workflow.
    pub item: Option<(u32, u32)>,
    /// How deep it stands in items.
    pub depth: usize,
    pub order: ItemOrder,
    /// What its paths begin with: empty, or `<forEach>[3]/`.
    pub prefix: String,
    /// How many of its node runs have not ended.
    pub open: usize,
    /// Whether nothing in it goes on: it ended, it failed, or what is around it did.
    pub closed: bool,
    /// Its first failure in journal order.
    pub failure: Option<Failed>,
    /// Node runs whose failure failed it.
    pub failed: Vec<u32>,
}

/// Why a run of a body failed.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    /// As the execution tells of it.
    pub error: ExecutionError,
    /// As an item tells of it: `{code, message, attempts, nodeId, …}`.
    pub value: Value,
}

/// The items of a `forEach` run.
#[derive(Debug)]
pub(super) struct Expansion {
    pub items: Arc<Vec<Value>>,
    /// What the items came to; null for those that have not ended.
    results: Vec<Value>,
    /// The next item to begin.
    next: u32,
    /// How many have ended.
    ended: usize,
    /// The instances of items that began and have not ended.
    active: Vec<u32>,
    /// The instance of each item that began.
    instances: Vec<u32>,
    /// The first item that failed, where that fails the others.
    failure: Option<Failed>,
}

/// What a `forEach` run has come to.
#[derive(Debug)]
pub(super) enum EachOutcome {
    Completed(Map<String, Value>),
    Failed(Failed),
}

impl Expansion {
    /// Whether every item has ended, or one has failed the others.
    pub(super) fn is_decided(&self) -> bool {
        self.failure.is_some() || self.ended == self.items.len()
    }
}

impl State {
    /// The items of a `forEach` run are known.
    pub(super) fn expand(&mut self, run: u32, items: Arc<Vec<Value>>, until: Option<i64>) {
        self.expansions.insert(
            run,
            Expansion {
                results: vec![Value::Null; items.len()],
                items,
                next: 0,
                ended: 0,
                active: Vec::new(),
                instances: Vec::new(),
                failure: None,
            },
        );
        self.runs[run as usize].progress = Progress::Expanded { until };
        self.set_timer(run);
        self.begin_items(run);
    }

    /// Begins as many items as `concurrency` allows; asks for the end of the `forEach` when there are none left.
    pub(super) fn begin_items(&mut self, run: u32) {
        if !matches!(self.runs[run as usize].progress, Progress::Expanded { .. }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let node = plan.node(self.runs[run as usize].node);
        let (Behaviour::Each(each), Some(body)) = (&node.behaviour, node.rest.own_body) else {
            return;
        };
        let concurrency = each.concurrency;
        while let Some(expansion) = self.expansions.get_mut(&run) {
            let all = expansion.items.len();
            if expansion.is_decided() {
                self.ask(Queue::Inline, run);
                return;
            }
            if expansion.active.len() >= concurrency as usize || expansion.next as usize == all {
                return;
            }
            let index = expansion.next;
            expansion.next += 1;
            let items = Arc::clone(&expansion.items);
            let instance = self.begin_item(run, index, body, &items[index as usize]);
            if let Some(expansion) = self.expansions.get_mut(&run) {
                expansion.active.push(instance);
                expansion.instances.push(instance);
            }
            self.start_instance(instance);
        }
    }

    fn begin_item(&mut self, each: u32, index: u32, body: u32, value: &Value) -> u32 {
        let instance = self.instances.len() as u32;
        let NodeRun {
            node,
            instance: outer,
            ..
        } = self.runs[each as usize];
        let around = &self.instances[outer as usize];
        let depth = around.depth + 1;
        let order = around.order.within(around.depth, index);
        let prefix = format!("{}{}[{index}]/", around.prefix, self.plan.node_id(node));
        Arc::make_mut(&mut self.memory).begin_item(outer, node, body, index, value);
        self.add_instance(body, Some((each, index)), depth, order, prefix);
        instance
    }

    pub(super) fn add_instance(
        &mut self,
        body: u32,
        item: Option<(u32, u32)>,
        depth: usize,
        order: ItemOrder,
        prefix: String,
    ) {
        let Body { nodes, incoming, .. } = self.plan.body(body);
        let instance = self.instances.len() as u32;
        self.instances.push(Instance {
            body,
            first: self.runs.len() as u32,
            item,
            depth,
            order,
            prefix,
            open: nodes.len(),
            closed: false,
            failure: None,
            failed: Vec::new(),
        });
        self.runs
            .extend(nodes.clone().zip(incoming).map(|(node, incoming)| NodeRun {
                progress: Progress::Blocked,
                unresolved: *incoming,
                live: 0,
                attempts: 0,
                node,
                instance,
            }));
    }

    /// Starts every node run without incoming edges, as if an edge had led to it.
    pub(super) fn start_instance(&mut self, instance: u32) {
        let Instance { body, first, .. } = self.instances[instance as usize];
        let plan = Arc::clone(&self.plan);
        let body = plan.body(body);
        for node in &body.first {
            let run = first + (node - body.nodes.start);
            self.runs[run as usize].live = u32::from(!plan.node(*node).disabled);
            self.make_ready(run);
        }
    }

    pub(super) fn runs_of(&self, instance: u32) -> std::ops::Range<u32> {
        let Instance { body, first, .. } = self.instances[instance as usize];
        first..first + self.plan.body(body).nodes.len() as u32
    }

    /// The last node of a run of a body has ended.
    pub(super) fn end_instance(&mut self, instance: u32) {
        if let Some((each, index)) = self.instances[instance as usize].item {
            let result = Arc::make_mut(&mut self.memory).end_item(instance);
            self.end_item(each, index, instance, Value::Object(result));
        }
    }

    /// A node run has failed what it belongs to.
    pub(super) fn fail_instance(&mut self, instance: u32, failed: Failed) {
        self.instances[instance as usize]
            .failure
            .get_or_insert(failed.clone());
        let Some((each, index)) = self.instances[instance as usize].item else {
            return;
        };
        if self.instances[instance as usize].closed {
            return;
        }
        let node = self.plan.node(self.runs[each as usize].node);
        if matches!(&node.behaviour, Behaviour::Each(each) if each.collect) {
            self.close(instance);
            Arc::make_mut(&mut self.memory).end_item(instance);
            let place = Map::from_iter([("error".to_owned(), failed.value)]);
            self.end_item(each, index, instance, Value::Object(place));
        } else {
            if let Some(expansion) = self.expansions.get_mut(&each) {
                expansion.failure.get_or_insert(failed);
            }
            self.close_items(each);
            self.ask(Queue::Inline, each);
        }
    }

    fn end_item(&mut self, each: u32, index: u32, instance: u32, result: Value) {
        self.instances[instance as usize].closed = true;
        if let Some(expansion) = self.expansions.get_mut(&each) {
            expansion.active.retain(|&active| active != instance);
            expansion.results[index as usize] = result;
            expansion.ended += 1;
        }
        self.begin_items(each);
    }

    /// Nothing of what a `forEach` run has begun goes on.
    pub(super) fn close_items(&mut self, each: u32) {
        let Some(expansion) = self.expansions.get(&each) else {
            return;
        };
        for instance in expansion.active.clone() {
            self.close(instance);
        }
    }

    /// A `forEach` run has ended: what it kept for its items is not needed any more, only where they are.
    pub(super) fn forget_items(&mut self, run: u32) {
        self.close_items(run);
        if let Some(expansion) = self.expansions.get_mut(&run) {
            expansion.items = Arc::default();
            expansion.results = Vec::new();
            expansion.active = Vec::new();
        }
    }

    /// Nothing in this run of a body goes on; its effects in flight are to be aborted.
    fn close(&mut self, instance: u32) {
        if std::mem::replace(&mut self.instances[instance as usize].closed, true) {
            return;
        }
        for run in self.runs_of(instance) {
            match self.runs[run as usize].progress {
                Progress::InFlight => self.orphans.push(run),
                Progress::Expanded { .. } => self.close_items(run),
                _ => {}
            }
        }
    }

    /// What was closed by a failure goes on where it was, and what failed runs again.
    pub(super) fn reopen_instance(&mut self, instance: u32) {
        let here = &mut self.instances[instance as usize];
        here.closed = false;
        here.failure = None;
        let failed = std::mem::take(&mut here.failed);
        for run in failed {
            self.runs[run as usize].attempts = 0;
            self.runs[run as usize].progress = match self.expansions.get_mut(&run) {
                // Its items failed, or it took too long; what its limit was is over.
                Some(expansion) => {
                    expansion.failure = None;
                    Progress::Expanded { until: None }
                }
                None => Progress::Ready,
            };
        }
        for run in self.runs_of(instance) {
            match self.runs[run as usize].progress {
                // It is the operator who wants it repeated.
                Progress::Ready | Progress::Unknown => self.make_ready(run),
                Progress::Backoff { .. } => self.set_timer(run),
                Progress::Waiting { .. } => {
                    self.set_timer(run);
                    self.listen(run);
                }
                Progress::Expanded { .. } => {
                    self.set_timer(run);
                    let active = self.expansions.get_mut(&run).map(|expansion| {
                        // An item may have failed with no time left to fail the `forEach`; it runs again.
                        expansion.failure = None;
                        expansion.active.clone()
                    });
                    for item in active.unwrap_or_default() {
                        self.reopen_instance(item);
                    }
                    self.begin_items(run);
                }
                Progress::Blocked | Progress::InFlight | Progress::Failed | Progress::Ended => {}
            }
        }
    }

    /// Whether a `forEach` run has come to something, and to what.
    pub(super) fn each_outcome(&self, run: u32) -> Option<EachOutcome> {
        let expansion = self.expansions.get(&run)?;
        if let Some(failed) = &expansion.failure {
            return Some(EachOutcome::Failed(failed.clone()));
        }
        (expansion.ended == expansion.items.len()).then(|| {
            let items = Value::Array(expansion.results.clone());
            EachOutcome::Completed(Map::from_iter([("items".to_owned(), items)]))
        })
    }

    /// The instance of an item, if it has begun.
    pub(super) fn instance_of(&self, each: u32, index: usize) -> Option<u32> {
        self.expansions.get(&each)?.instances.get(index).copied()
    }
}

impl Failed {
    /// From what a node failed with. `path` is the node run's.
    pub(super) fn new(
        error: &gristmill_core::journal::NodeError,
        attempts: u32,
        node_id: &str,
        path: String,
    ) -> Self {
        let mut value = failure(error, attempts);
        value["nodeId"] = Value::from(node_id);
        Self {
            error: ExecutionError {
                code: error.code.clone(),
                message: error.message.clone(),
                node_id: Some(node_id.to_owned()),
                path: Some(path),
            },
            value,
        }
    }
}
