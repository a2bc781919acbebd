//! Bulk: orders for many executions.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

use super::{ExecutionStatus, WorkflowId};

/// Which executions an order is for.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "filter": {"status": ["FAILED"], "createdFrom": "2030-01-31T08:00:00Z"},
    "dryRun": true
}))]
pub(crate) struct BulkRequest {
    filter: Option<ExecutionFilter>,
    /// That every execution is meant: an empty filter alone is refused.
    #[schema(default = false)]
    all: Option<bool>,
    /// Counts, and does nothing.
    #[schema(default = false)]
    dry_run: Option<bool>,
    /// How many executions at most.
    #[schema(minimum = 1, maximum = 10_000, default = 1_000)]
    limit: Option<u32>,
    /// Goes on where an earlier answer ended: its `nextCursor`.
    cursor: Option<String>,
}

/// What executions are narrowed to. Of those, only the ones count to which the order can be carried out.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct ExecutionFilter {
    workflow_id: Option<WorkflowId>,
    /// Where they stand; one alone needs no array.
    #[schema(max_items = 10)]
    status: Option<Vec<ExecutionStatus>>,
    /// Created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Created then or earlier.
    created_to: Option<DateTime<Utc>>,
    #[schema(min_length = 1, max_length = 100)]
    lane: Option<String>,
    /// With any of these tags; one alone needs no array.
    #[schema(max_items = 10)]
    tags: Option<Vec<String>>,
}
