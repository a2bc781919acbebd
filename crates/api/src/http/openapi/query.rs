//! Queries: the parameters of each list, for the document. Handlers read them one by one, and refuse whatever they do not
//! read.

#![allow(dead_code, reason = "shapes, never values")]

use chrono::{DateTime, NaiveDate, Utc};
use utoipa::{IntoParams, ToSchema};

use super::schema::{ApiKeyId, ExecutionStatus, TemplateId, UserId, WorkflowId};

/// Which workflows, in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct Workflows {
    /// Only those that are switched on, or off.
    #[param(required = false)]
    is_active: bool,
    /// Only those with any of these tags, a hundred at most: repeated, or with commas between them.
    #[param(required = false, example = "billing,nightly")]
    tags: Vec<String>,
    /// Only those that were made from this template.
    #[param(required = false)]
    template_id: TemplateId,
    /// Only those whose name or description has this text, in capitals or not.
    #[param(required = false, min_length = 1, max_length = 200, example = "invoice")]
    search: String,
    /// Only those that were created then or later.
    #[param(required = false)]
    created_from: DateTime<Utc>,
    /// Only those that were created then or earlier.
    #[param(required = false)]
    created_to: DateTime<Utc>,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// How many to leave out first.
    #[param(required = false, minimum = 0, default = 0)]
    offset: i64,
    /// What decides the order.
    #[param(required = false, inline)]
    sort_by: Sort,
    /// Which end comes first.
    #[param(required = false, inline)]
    sort_order: Order,
}

/// `created_at`, unless asked otherwise.
#[derive(ToSchema)]
pub(crate) enum Sort {
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "updated_at")]
    UpdatedAt,
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "executionCount")]
    ExecutionCount,
}

/// `desc`, unless asked otherwise.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum Order {
    Asc,
    Desc,
}

/// What is counted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct Stats {
    /// The first day, in UTC; also a time, whose day counts as a whole. Thirty days, unless asked otherwise.
    #[param(required = false, example = "2030-01-01")]
    from: NaiveDate,
    /// The last day, which is included. Today, unless asked otherwise.
    #[param(required = false, example = "2030-01-31")]
    to: NaiveDate,
    /// Only executions of this workflow.
    #[param(required = false)]
    workflow_id: WorkflowId,
}

/// Which revisions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Revisions {
    /// Only those before this one: the `next` of an earlier answer.
    #[param(required = false, minimum = 1)]
    before: i32,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: i64,
}

/// Which templates.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Templates {
    /// Only those of this category.
    #[param(required = false, min_length = 1, max_length = 200, example = "sales")]
    category: String,
    /// Only those whose name or description has this text, in capitals or not.
    #[param(required = false, min_length = 1, max_length = 200)]
    search: String,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// How many to leave out first.
    #[param(required = false, minimum = 0, default = 0)]
    offset: i64,
}

/// Which executions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct Executions {
    /// Only this workflow's.
    #[param(required = false)]
    workflow: WorkflowId,
    /// Only those that stand so: repeated, or with commas between them.
    #[param(required = false, example = "FAILED,CANCELLED")]
    status: Vec<ExecutionStatus>,
    /// Only those that were created then or later.
    #[param(required = false)]
    created_from: DateTime<Utc>,
    /// Only those that were created then or earlier.
    #[param(required = false)]
    created_to: DateTime<Utc>,
    /// Only those of this lane.
    #[param(required = false, min_length = 1, max_length = 100, example = "default")]
    lane: String,
    /// Only those with any of these tags, ten at most: repeated, or with commas between them.
    #[param(required = false)]
    tags: Vec<String>,
    /// Goes on where an earlier answer ended: its `nextCursor`.
    #[param(required = false)]
    cursor: String,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: i64,
}

/// Which keys.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Keys {
    /// Goes on where an earlier answer ended: its `nextCursor`.
    #[param(required = false)]
    cursor: ApiKeyId,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: i64,
}

/// Which entries of the audit log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct Audit {
    /// Only where this was done.
    #[param(required = false, example = "workflow.update")]
    action: String,
    /// Only where it was done to such an object.
    #[param(required = false, example = "workflow")]
    object_kind: String,
    /// Only where it was done to this object.
    #[param(required = false, min_length = 1, max_length = 100)]
    object_id: String,
    /// Only where this user did it.
    #[param(required = false)]
    user_id: UserId,
    /// Only where it was done with this key.
    #[param(required = false)]
    key_id: ApiKeyId,
    /// Only then or later.
    #[param(required = false)]
    from: DateTime<Utc>,
    /// Only before then.
    #[param(required = false)]
    to: DateTime<Utc>,
    /// Goes on where an earlier answer ended: its `nextCursor`.
    #[param(required = false)]
    cursor: String,
    /// How many.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: i64,
}
