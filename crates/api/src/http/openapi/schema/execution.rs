//! Executions: what they are started with, and the words of `core` that they are shown in.

use chrono::{DateTime, Utc};
use serde_json::Value;
use utoipa::ToSchema;

/// Where an execution stands. COMPLETED, FAILED and CANCELLED are terminal; only an operator's retry leaves FAILED.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ExecutionStatus {
    Pending,
    Running,
    Waiting,
    Completed,
    Failed,
    Cancelled,
}

/// What to run a workflow with. No body is as good as `{}`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"input": {"name": "Ada"}}))]
pub(crate) struct SubmitRequest {
    /// Checked against the trigger's `inputSchema`.
    #[schema(value_type = Option<Object>)]
    input: Option<Value>,
    /// Not before this time. Not together with `delayMs`.
    run_at: Option<DateTime<Utc>>,
    /// Not before so many milliseconds from now, by the database's clock; at most a hundred years.
    delay_ms: Option<u64>,
    /// The producer's own, to find it by; each has 1 to 50 characters and no comma.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// The producer's own object, 16 KiB at most.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// What to run a workflow with, many times: `inputs` or `items`, 1 to 1,000 of them.
#[derive(ToSchema)]
#[schema(example = json!({"inputs": [{"name": "Ada"}, {"name": "Grace"}]}))]
pub(crate) struct BatchRequest {
    /// The inputs alone.
    #[schema(value_type = Option<Vec<Object>>, min_items = 1, max_items = 1000)]
    inputs: Option<Vec<Value>>,
    /// As for one execution.
    #[schema(min_items = 1, max_items = 1000)]
    items: Option<Vec<SubmitRequest>>,
}

/// How to replay. No body is as good as `{}`.
#[derive(ToSchema)]
#[schema(example = json!({"revision": "newest"}))]
pub(crate) struct ReplayRequest {
    /// `same`, unless asked otherwise.
    #[schema(inline)]
    revision: Option<Revision>,
}

/// Which revision a replay runs: the one that the execution ran, or the newest.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum Revision {
    Same,
    Newest,
}

/// Why an execution failed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct ExecutionError {
    /// Stable, for programs: the failed node's own code, `timeout`, `worker_lost`, ….
    code: String,
    /// For people.
    message: String,
    /// The node that failed, when one did.
    node_id: Option<String>,
    /// The node run that failed: equal to `nodeId` outside of `forEach`.
    path: Option<String>,
}

/// Why a node run, or one attempt of it, failed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct NodeError {
    /// Stable, for programs: `template`, `timeout`, `http_status`, `network`, ….
    code: String,
    /// For people.
    message: String,
    /// What else programs may want: a status code, the beginning of a body.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
}

/// One line of an execution's log.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct LogEntry {
    node_id: String,
    /// The node run, where it is not the only one of its node: `<forEach>[3]/<node>`.
    path: Option<String>,
    /// The node's label, or "Unnamed Node".
    node_name: String,
    #[schema(inline)]
    status: LogStatus,
    /// By the database's clock.
    timestamp: DateTime<Utc>,
    /// What happened, for people.
    message: String,
    /// A completed node's output.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
    /// Why the node, or one attempt, failed.
    error: Option<NodeError>,
}

/// What a log line tells about its node.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LogStatus {
    Running,
    Waiting,
    Completed,
    Retrying,
    Failed,
    Skipped,
    Disabled,
    Aborted,
}
