//! An execution as lists show it: without input, output and log.

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};
use gristmill_store::ExecutionSummary;
use serde::Serialize;
use serde_json::value::RawValue;

use super::view::{WORKFLOW_TYPE, dollars, duration, raw};
use crate::error::Error;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    id: ExecutionId,
    workflow_id: WorkflowId,
    workflow_type: &'static str,
    revision: i32,
    status: ExecutionStatus,
    lane: String,
    attempt: i32,
    waits_for: Option<String>,
    wake_at: Option<DateTime<Utc>>,
    parent_id: Option<ExecutionId>,
    /// Null also where it is long: then `error_omitted` says so, and the execution itself shows it.
    error: Option<Box<RawValue>>,
    error_omitted: bool,
    operator_retries: i32,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    cost: f64,
    duration: Option<i64>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
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
            waits_for: waits.then(|| waits_for.unwrap_or_else(|| "graph".to_owned())),
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
