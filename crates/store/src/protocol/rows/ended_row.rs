//! Ended row: what is read of an execution that has ended.

use diesel::{Queryable, QueryableByName, Selectable};

use crate::connection::parse::parse;
use crate::connection::sql_types::Timestamp;
use crate::schema::executions;
use crate::{Ended, Error};

/// A row in a terminal status, by Diesel's own statement or a written one.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = executions)]
pub(crate) struct EndedRow {
    id: String,
    workflow_id: String,
    revision: i32,
    status: String,
    attempt: i32,
    error: Option<String>,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl EndedRow {
    pub(crate) fn into_ended(self) -> Result<Ended, Error> {
        Ok(Ended {
            id: parse("execution id", &self.id)?,
            workflow_id: parse("workflow id", &self.workflow_id)?,
            revision: self.revision,
            status: parse("execution status", &self.status)?,
            attempt: self.attempt,
            error: self.error,
            nodes_executed: self.nodes_executed,
            tokens_used: self.tokens_used,
            cost_micros: self.cost_micros,
            created_at: self.created_at.into(),
            started_at: self.started_at.map(Into::into),
            completed_at: self.completed_at.map(Into::into),
        })
    }
}
