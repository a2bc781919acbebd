//! Row: what a list reads of an execution.

use diesel::QueryableByName;

use super::list::ExecutionSummary;
use crate::Error;
use crate::connection::parse::parse;
use crate::connection::sql_types::Timestamp;
use crate::schema::executions;

/// The columns of [`Row`]. An error of up to a thousand bytes stands in its row, whatever else does.
pub(super) const COLUMNS: &str = "e.id, e.workflow_id, e.revision, e.status, e.lane, e.attempt, e.wake_at, e.waits_for, \
    e.parent_execution_id, CASE WHEN octet_length(e.error) <= 1000 THEN e.error END AS error, e.operator_retries, \
    e.nodes_executed, e.tokens_used, e.cost_micros, e.created_at, e.started_at, e.completed_at";

#[derive(QueryableByName)]
#[diesel(table_name = executions)]
pub(super) struct Row {
    id: String,
    workflow_id: String,
    revision: i32,
    status: String,
    lane: String,
    attempt: i32,
    wake_at: Option<Timestamp>,
    waits_for: Option<String>,
    parent_execution_id: Option<String>,
    error: Option<String>,
    operator_retries: i32,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl TryFrom<Row> for ExecutionSummary {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let parent = row.parent_execution_id;
        Ok(Self {
            id: parse("execution id", &row.id)?,
            workflow_id: parse("workflow id", &row.workflow_id)?,
            revision: row.revision,
            status: parse("execution status", &row.status)?,
            lane: row.lane,
            attempt: row.attempt,
            wake_at: row.wake_at.map(Into::into),
            waits_for: row.waits_for.map(Into::into),
            parent: parent.map(|id| parse("execution id", &id)).transpose()?,
            error: row.error,
            operator_retries: row.operator_retries,
            nodes_executed: row.nodes_executed,
            tokens_used: row.tokens_used,
            cost_micros: row.cost_micros,
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
        })
    }
}
