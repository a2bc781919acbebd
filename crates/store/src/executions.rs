//! Executions as their owners see them. What moves them is the protocol.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};

use crate::parse::parse;
use crate::pool::read;
use crate::schema::executions;
use crate::sql_types::Timestamp;
use crate::{Error, Store, Tenant};

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Where its jobs go.
    pub lane: String,
    /// How often a worker has claimed it.
    pub attempt: i32,
    /// The name of the worker that did so last.
    pub claimed_by: Option<String>,
    /// How often a worker was lost since the last journal commit.
    pub losses: i32,
    /// When something is due: what, depends on the status.
    pub wake_at: Option<DateTime<Utc>>,
    /// How many journal entries there are.
    pub journal_len: i32,
    /// The input object, as serialized.
    pub input: String,
    /// The output object, as serialized, once COMPLETED.
    pub output: Option<String>,
    /// A [`gristmill_core::ExecutionError`], as serialized, once FAILED.
    pub error: Option<String>,
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// Model tokens.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = executions)]
struct Row {
    id: String,
    workflow_id: String,
    revision: i32,
    status: String,
    lane: String,
    attempt: i32,
    claimed_by: Option<String>,
    losses: i32,
    wake_at: Option<Timestamp>,
    journal_len: i32,
    input: String,
    output: Option<String>,
    error: Option<String>,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl Store {
    /// An execution of the tenant's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn execution(&self, tenant: &Tenant, id: &ExecutionId) -> Result<Option<Execution>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let found = read!(self, |connection| {
            let found = executions::table
                .filter(
                    executions::organization_id
                        .eq(organization_id)
                        .and(executions::id.eq(id)),
                )
                .select(Row::as_select());
            Ok(found.first::<Row>(connection).await.optional()?)
        })?;
        found.map(Execution::try_from).transpose()
    }
}

impl TryFrom<Row> for Execution {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("execution id", &row.id)?,
            workflow_id: parse("workflow id", &row.workflow_id)?,
            revision: row.revision,
            status: parse("execution status", &row.status)?,
            lane: row.lane,
            attempt: row.attempt,
            claimed_by: row.claimed_by,
            losses: row.losses,
            wake_at: row.wake_at.map(Into::into),
            journal_len: row.journal_len,
            input: row.input,
            output: row.output,
            error: row.error,
            nodes_executed: row.nodes_executed,
            tokens_used: row.tokens_used,
            cost_micros: row.cost_micros,
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
        })
    }
}
