//! A workflow's definition as people draw it: React Flow's `nodes` and `edges`, with `variables` and `settings`.

mod read;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Path, WorkflowId};

/// A definition, read leniently: what has the wrong shape became a [`Problem`](crate::Problem) and was left out.
///
/// Everything outside of what stands here (positions, sizes, colours) is React Flow's own; it is kept in the stored text
/// and never read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// The steps.
    pub nodes: Vec<Node>,
    /// The arrows between them.
    pub edges: Vec<Edge>,
    /// What expressions see as `vars`.
    pub variables: Map<String, Value>,
    /// How executions of this workflow are run.
    pub settings: Settings,
}

/// A step of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its place in the document's `nodes`, for the paths of problems.
    pub index: usize,
    /// Unique within the definition.
    pub id: String,
    /// What it does: `type` in the JSON.
    pub kind: String,
    /// The `forEach` node whose body this node belongs to: `parentId` in the JSON.
    pub parent_id: Option<String>,
    /// The kind's configuration and the keys common to all kinds.
    pub data: Map<String, Value>,
}

/// An arrow from one node to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Its place in the document's `edges`, for the paths of problems.
    pub index: usize,
    /// The node it leaves.
    pub source: String,
    /// The node it enters.
    pub target: String,
    /// Which of the source's handles it leaves from: a condition's branch, or `error`. `sourceHandle` in the JSON.
    pub source_handle: Option<String>,
}

/// How executions of a workflow are run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The queue that its jobs go to; `default` when absent.
    pub lane: Option<String>,
    /// How many effects of one execution run at the same time.
    pub max_parallel: Option<u32>,
    /// From the first claim to the end, in milliseconds, waits included.
    pub timeout_ms: Option<u64>,
    /// How often a failed execution is run again by itself, from where its journal ends; the keys are those of a node's
    /// `retry`, and the engine reads them.
    pub retry: Option<Map<String, Value>>,
    /// The workflow that gets a failed execution as its input.
    pub on_failure: Option<WorkflowId>,
    /// How long ended executions are kept, where that is not as configured.
    pub retention: KeptDays,
}

/// For how many days ended executions of a workflow are kept; absent = as configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptDays {
    /// COMPLETED.
    pub completed_days: Option<u32>,
    /// FAILED.
    pub failed_days: Option<u32>,
    /// CANCELLED.
    pub cancelled_days: Option<u32>,
}

impl Node {
    /// Where the node stands in the document: `$.nodes[3]`.
    pub fn path(&self) -> Path {
        Path::root().key("nodes").index(self.index)
    }

    /// What people call it: `data.label`, or "Unnamed Node".
    pub fn label(&self) -> &str {
        match self.data.get("label") {
            Some(Value::String(label)) if !label.is_empty() => label,
            _ => "Unnamed Node",
        }
    }
}

impl Edge {
    /// Where the edge stands in the document: `$.edges[3]`.
    pub fn path(&self) -> Path {
        Path::root().key("edges").index(self.index)
    }
}
