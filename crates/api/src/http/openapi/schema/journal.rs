//! Journal: the journal's entries.

use serde_json::Value;
use utoipa::ToSchema;

use super::{ExecutionId, NodeError};

/// Something that happened inside an execution. `type` says what, and which of the other keys are there. Times are
/// milliseconds since 1970, by the database's clock.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct JournalEntry {
    /// Its place in the journal; the first is 0.
    seq: i32,
    #[schema(inline)]
    r#type: EntryType,
    /// Which node run it is about; absent when it is about the whole execution (`reopened`).
    path: Option<String>,
    /// When.
    at: i64,
    /// `started`, `retrying`: which attempt; the first is 1.
    attempt: Option<u32>,
    /// `failed`: how many attempts were made.
    attempts: Option<u32>,
    /// `completed`, `retrying`, `failed`: how long the attempt took, in milliseconds.
    duration_ms: Option<u64>,
    /// `completed`: the node's own output.
    #[schema(value_type = Option<Object>)]
    output: Option<Value>,
    /// `completed`: the branch that a condition chose.
    handle: Option<String>,
    usage: Option<Usage>,
    /// `completed`, `retrying`, `failed`: the number of the message that it consumed.
    mail: Option<i64>,
    /// `waiting`: when the wait is over, whatever else happens.
    until: Option<i64>,
    on: Option<WaitsFor>,
    /// `expanded`: the items that the body runs for.
    items: Option<Vec<Value>>,
    error: Option<NodeError>,
    /// `retrying`: when the next attempt is due.
    retry_at: Option<i64>,
    /// `failed`: what that means for the rest of the graph.
    #[schema(inline)]
    then: Option<AfterFailure>,
    /// `aborted`: why, for people.
    reason: Option<String>,
    /// `reopened`: when the execution goes on; absent = at once.
    resume_at: Option<i64>,
}

/// What happened.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum EntryType {
    Started,
    Completed,
    Waiting,
    Expanded,
    Retrying,
    Failed,
    Skipped,
    Disabled,
    Aborted,
    Reopened,
}

/// What a node run waits for.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct WaitsFor {
    #[schema(inline)]
    r#type: WaitType,
    /// `signal`: its name.
    name: Option<String>,
    /// `child`: the child.
    execution_id: Option<ExecutionId>,
}

/// A time, a signal, or a child's end.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum WaitType {
    Timer,
    Signal,
    Child,
}

/// What follows from a node run's failure.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum AfterFailure {
    Route,
    Continue,
    Fail,
}

/// What a model call used, of an attempt that `completed`, is `retrying`, `failed` or was `aborted`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// Prompt and completion together.
    tokens: u64,
    /// Millionths of a dollar.
    cost_micros: u64,
    /// The model that answered, by its provider's name.
    model: Option<String>,
}
