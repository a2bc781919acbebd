//! An execution as lists show it: without input, output and log.

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};
use gristmill_store::ExecutionSummary;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::view::{WORKFLOW_TYPE, dollars, duration, what_it_waits_for};
use crate::http::answer::raw;
use crate::http::error::Error;
use crate::http::openapi::schema;

/// An execution without input, output and log.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionSummary)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    #[schema(value_type = schema::ExecutionId)]
    id: ExecutionId,
    #[schema(value_type = schema::WorkflowId)]
    workflow_id: WorkflowId,
    workflow_type: &'static str,
    revision: i32,
    #[schema(value_type = schema::ExecutionStatus)]
    status: ExecutionStatus,
    lane: String,
    attempt: i32,
    #[schema(required)]
    waits_for: Option<String>,
    #[schema(required)]
    wake_at: Option<DateTime<Utc>>,
    #[schema(required, value_type = Option<schema::ExecutionId>)]
    parent_id: Option<ExecutionId>,
    /// Null also where it is long: then `error_omitted` says so, and the execution itself shows it.
    #[schema(required, value_type = Option<schema::ExecutionError>)]
    error: Option<Box<RawValue>>,
    error_omitted: bool,
    operator_retries: i32,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    cost: f64,
    #[schema(required)]
    duration: Option<i64>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
}

impl TryFrom<ExecutionSummary> for Summary {
    type Error = Error;

    /// Fails when a stored error is no JSON: a defect.
    fn try_from(found: ExecutionSummary) -> Result<Self, Error> {
        let waits = found.status == ExecutionStatus::Waiting;
        let waits_for = found.waits_for;
        Ok(Self {
            id: found.id,
            workflow_id: found.workflow_id,
            workflow_type: WORKFLOW_TYPE,
            revision: found.revision,
            status: found.status,
            lane: found.lane,
            attempt: found.attempt,
            waits_for: waits.then(|| what_it_waits_for(waits_for)),
            wake_at: found.wake_at.filter(|_| waits),
            parent_id: found.parent,
            error_omitted: found.status == ExecutionStatus::Failed && found.error.is_none(),
            error: found.error.map(raw).transpose()?,
            operator_retries: found.operator_retries,
            nodes_executed: found.nodes_executed,
            tokens_used: found.tokens_used,
            cost_micros: found.cost_micros,
            cost: dollars(found.cost_micros),
            duration: duration(found.started_at, found.completed_at),
            created_at: found.created_at,
            started_at: found.started_at,
            completed_at: found.completed_at,
        })
    }
}
