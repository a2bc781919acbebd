//! Get: executions as their owners see them. What moves them is the protocol.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, WaitReason, WorkflowId, boxed};

use crate::connection::parse::parse;
use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::executions;
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
    /// What WAITING is for, if not for the graph.
    pub waits_for: Option<WaitReason>,
    /// When it will have taken too long.
    pub deadline: Option<DateTime<Utc>>,
    /// Whose child it is.
    pub parent: Option<ExecutionId>,
    /// Which node run of the parent asked for it.
    pub parent_path: Option<String>,
    /// Whose input it runs again.
    pub replay_of: Option<ExecutionId>,
    /// Whose failure it handles.
    pub on_failure_of: Option<ExecutionId>,
    /// How often an operator had it retried.
    pub operator_retries: i32,
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
    /// The producer's tags, as a JSON array of strings.
    pub tags: Option<String>,
    /// The producer's own object, as serialized.
    pub metadata: Option<String>,
}

/// An execution that another one has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its id.
    pub id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which node run of its parent asked for it.
    pub path: String,
    /// Where it stands.
    pub status: ExecutionStatus,
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
    waits_for: Option<String>,
    deadline: Option<Timestamp>,
    parent_execution_id: Option<String>,
    parent_path: Option<String>,
    replay_of: Option<String>,
    on_failure_of: Option<String>,
    operator_retries: i32,
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
    tags: Option<String>,
    metadata: Option<String>,
}

impl Store {
    /// An execution of the tenant's.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn execution(&self, tenant: &Tenant, id: &ExecutionId) -> Result<Option<Execution>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let found = read!(self, tenant, |connection| {
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

    /// Up to `limit` children of an execution of the tenant's, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn children(&self, tenant: &Tenant, id: &ExecutionId, limit: i64) -> Result<Vec<Child>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let rows = read!(self, tenant, |connection| {
            let children = executions::table
                .filter(
                    executions::organization_id
                        .eq(organization_id)
                        .and(executions::parent_execution_id.eq(id)),
                )
                .order(executions::id)
                .limit(limit)
                .select((
                    executions::id,
                    executions::workflow_id,
                    executions::parent_path,
                    executions::status,
                ));
            Ok(children.load::<ChildRow>(connection).await?)
        })?;
        rows.into_iter().map(child).collect()
    }
}

type ChildRow = (String, String, Option<String>, String);

fn child((id, workflow_id, path, status): ChildRow) -> Result<Child, Error> {
    Ok(Child {
        id: parse("execution id", &id)?,
        workflow_id: parse("workflow id", &workflow_id)?,
        path: path.unwrap_or_default(),
        status: parse("execution status", &status)?,
    })
}

fn link(id: Option<String>) -> Result<Option<ExecutionId>, Error> {
    id.map(|id| parse("execution id", &id)).transpose()
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
            waits_for: row.waits_for.map(Into::into),
            deadline: row.deadline.map(Into::into),
            parent: link(row.parent_execution_id)?,
            parent_path: row.parent_path,
            replay_of: link(row.replay_of)?,
            on_failure_of: link(row.on_failure_of)?,
            operator_retries: row.operator_retries,
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
            tags: row.tags,
            metadata: row.metadata,
        })
    }
}
