//! Workflow: definitions, as they are sent and given back.

use serde_json::Value;
use utoipa::ToSchema;

use super::{TemplateId, WorkflowId};

/// A new workflow.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "name": "Hello",
    "nodes": [
        {"id": "start", "type": "trigger"},
        {"id": "greet", "type": "transform", "data": {"set": {"greeting": "Hello, {{ name }}!"}}}
    ],
    "edges": [{"source": "start", "target": "greet"}]
}))]
pub(crate) struct CreateWorkflowRequest {
    #[schema(min_length = 3, max_length = 100)]
    name: String,
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// The user's label of this state of the workflow.
    #[schema(min_length = 1, max_length = 50, default = "1.0.0")]
    version: Option<String>,
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Whether it may be executed.
    #[schema(default = true)]
    is_active: Option<bool>,
    /// The template that it was made from.
    template_id: Option<TemplateId>,
    /// The steps: at least one, and one of them a `trigger`.
    #[schema(min_items = 1)]
    nodes: Vec<Node>,
    /// The arrows between them. There is no cycle.
    edges: Option<Vec<Edge>>,
    /// What expressions see as `vars`.
    #[schema(value_type = Option<Object>)]
    variables: Option<Value>,
    settings: Option<Settings>,
}

/// Parts of a workflow: those that change, or all that there are so far.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"description": "Greets", "variables": {"greeting": "Hello"}}))]
pub(crate) struct WorkflowDraft {
    #[schema(min_length = 3, max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// The user's label of this state of the workflow.
    #[schema(min_length = 1, max_length = 50)]
    version: Option<String>,
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Whether it may be executed.
    is_active: Option<bool>,
    /// The template that it was made from.
    template_id: Option<TemplateId>,
    /// All of its steps.
    nodes: Option<Vec<Node>>,
    /// All of its arrows.
    edges: Option<Vec<Edge>>,
    /// All of what expressions see as `vars`.
    #[schema(value_type = Option<Object>)]
    variables: Option<Value>,
    settings: Option<Settings>,
}

/// A step of the graph, as React Flow writes it. What else stands on it (position, size) is kept and given back.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Node {
    /// Unique within the definition.
    #[schema(max_length = 200)]
    id: String,
    /// The kind: `trigger`, `transform`, `condition`, `integration`, `wait`, `signal`, `subWorkflow` or `forEach`.
    r#type: String,
    /// The `forEach` node whose body this node belongs to.
    parent_id: Option<String>,
    /// The kind's configuration, and `label`, `disabled`, `output`, `retry`, `timeoutMs`, `onError`, `ui`.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// An arrow from one node to another. What else stands on it is kept and given back.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Edge {
    /// The node that it leaves.
    source: String,
    /// The node that it enters.
    target: String,
    /// Which of the source's handles it leaves from: a condition's branch, or `error`.
    source_handle: Option<String>,
}

/// How executions of a workflow are run.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// The queue that its jobs go to; `default` when absent.
    lane: Option<String>,
    /// How many effects of one execution run at the same time.
    max_parallel: Option<u32>,
    /// From the first claim to the end, in milliseconds, waits included.
    timeout_ms: Option<u64>,
    /// How often a failed execution is run again by itself, from where its journal ends; the keys are those of a node's
    /// `retry`.
    #[schema(value_type = Option<Object>)]
    retry: Option<Value>,
    /// The workflow that gets a failed execution as its input.
    on_failure: Option<WorkflowId>,
    retention: Option<KeptDays>,
}

/// For how many days ended executions of a workflow are kept; absent = as configured.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct KeptDays {
    #[schema(maximum = 36500)]
    completed_days: Option<u32>,
    #[schema(maximum = 36500)]
    failed_days: Option<u32>,
    #[schema(maximum = 36500)]
    cancelled_days: Option<u32>,
}
