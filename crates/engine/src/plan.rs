//! A compiled definition: dense, made of indexes, and shared by every execution of its revision.

mod ancestors;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::document::Document;
use crate::{Behaviour, RetryPolicy};

pub(crate) use ancestors::{Above, Ancestors};

/// A definition that is ready to run. Nodes stand in rank order, so a node's index is its rank.
pub struct Plan {
    pub(crate) nodes: Vec<PlanNode>,
    /// Grouped by their source, in listed order.
    pub(crate) edges: Vec<PlanEdge>,
    pub(crate) index_of: HashMap<String, u32>,
    pub(crate) ancestors: Ancestors,
    pub(crate) variables: Document,
    pub(crate) max_parallel: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
}

pub(crate) struct PlanNode {
    pub id: String,
    pub kind: &'static str,
    pub behaviour: Behaviour,
    pub handles: Option<Vec<String>>,
    pub is_trigger: bool,
    pub disabled: bool,
    pub merge: Merge,
    pub retry: RetryPolicy,
    pub timeout: Duration,
    pub on_failure: gristmill_core::journal::AfterFailure,
    /// How many edges lead to it, parallel ones counted each.
    pub incoming: u32,
    /// Its edges in [`Plan::edges`].
    pub outgoing: Range<usize>,
}

/// What becomes of a node's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merge {
    Never,
    Keys,
    Under(String),
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
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a definition without nodes does not compile.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The id of the node at `index`, which is its rank.
    pub fn node_id(&self, index: u32) -> &str {
        &self.node(index).id
    }

    pub(crate) fn node(&self, index: u32) -> &PlanNode {
        &self.nodes[index as usize]
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
