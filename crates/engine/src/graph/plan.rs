//! A compiled definition: dense, made of indexes, and shared by every execution of its revision.

mod ancestors;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use gristmill_core::{MAX_PROBLEMS, Path, Problem};
use serde_json::{Map, Value};

use crate::language::document::Document;
use crate::{Behaviour, InputSchema, RetryPolicy};

pub(crate) use ancestors::{Above, Ancestors};

/// A definition that is ready to run. The nodes of a body stand together, in rank order; those of the whole workflow, which
/// is the body of no node, stand first.
pub struct Plan {
    pub(crate) nodes: Vec<PlanNode>,
    /// Grouped by their source, in listed order.
    pub(crate) edges: Vec<PlanEdge>,
    /// The whole workflow, then the body of each `forEach`.
    pub(crate) bodies: Vec<Body>,
    pub(crate) index_of: HashMap<Box<str>, u32>,
    pub(crate) variables: Document,
    pub(crate) max_parallel: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    /// How often the whole execution is run again by itself.
    pub(crate) retry: Option<RetryPolicy>,
}

/// Nodes that run together: all of them once, or once for each item of a `forEach`.
pub(crate) struct Body {
    /// Its nodes, in rank order.
    pub nodes: Range<u32>,
    /// How many edges lead to each of them, parallel ones counted each.
    pub incoming: Vec<u32>,
    /// Those that no edge leads to.
    pub first: Vec<u32>,
    /// Which of them lie before which; counted from the first.
    pub ancestors: Ancestors,
}

/// Small: a run of many nodes goes through all of them, and what only some need stands in a box.
pub(crate) struct PlanNode {
    pub id: Box<str>,
    pub behaviour: Behaviour,
    pub is_trigger: bool,
    pub disabled: bool,
    pub merge: Merge,
    /// Where it stands among all nodes: those of a body come right behind their `forEach`.
    pub order: u32,
    /// Its edges in [`Plan::edges`].
    pub outgoing: Range<u32>,
    pub rest: Box<Rest>,
}

/// What is seldom asked of a node.
pub(crate) struct Rest {
    pub kind: &'static str,
    pub handles: Vec<String>,
    pub input_schema: Option<Box<InputSchema>>,
    pub at_most_once: bool,
    pub retry: RetryPolicy,
    pub timeout: Option<Duration>,
    pub on_failure: gristmill_core::journal::AfterFailure,
    /// The place in [`Plan::bodies`] of its own body, when it has one.
    pub own_body: Option<u32>,
}

/// What becomes of a node's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merge {
    Never,
    Keys,
    Under(Box<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanEdge {
    pub target: u32,
    pub exit: Exit,
}

/// Which of its source's handles an edge leaves from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// None in particular.
    Any,
    /// The one for failures.
    Error,
    /// A place in the source's handles.
    Handle(u32),
}

impl Plan {
    /// What is wrong with `input`, by the schemas of the triggers, as far as it can be told; where its parts stand is told as
    /// in a request's body: `$.input.…`.
    pub fn check_input(&self, input: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.checks_input() {
            return problems;
        }
        let input = Value::Object(input.clone());
        for schema in self.input_schemas() {
            // What is wrong beyond that is not even looked for.
            if problems.len() <= MAX_PROBLEMS {
                schema.check(&input, &mut problems);
            }
        }
        if problems.len() > MAX_PROBLEMS {
            problems.truncate(MAX_PROBLEMS);
            let message = format!("there are more problems; these are the first {MAX_PROBLEMS}");
            problems.push(Problem::new(Path::root().key("input"), "more_problems", message));
        }
        problems
    }

    /// Whether a trigger has an input schema.
    pub fn checks_input(&self) -> bool {
        self.input_schemas().next().is_some()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a definition without nodes does not compile.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The id of the node at `index`; without `forEach` the index is the rank.
    pub fn node_id(&self, index: u32) -> &str {
        &self.node(index).id
    }

    fn input_schemas(&self) -> impl Iterator<Item = &InputSchema> {
        self.nodes
            .iter()
            .filter_map(|node| node.rest.input_schema.as_deref())
    }

    pub(crate) fn node(&self, index: u32) -> &PlanNode {
        &self.nodes[index as usize]
    }

    /// The edges that leave from the node at `index`.
    pub(crate) fn edges_of(&self, index: u32) -> &[PlanEdge] {
        let Range { start, end } = self.node(index).outgoing;
        &self.edges[start as usize..end as usize]
    }

    pub(crate) fn body(&self, body: u32) -> &Body {
        &self.bodies[body as usize]
    }

    pub(crate) fn index(&self, id: &str) -> Option<u32> {
        self.index_of.get(id).copied()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.nodes.iter().map(|node| &node.id))
            .finish()
    }
}
