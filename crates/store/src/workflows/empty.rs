//! Deleted workflows, until nothing is left of them: first their unfinished executions are cancelled, and when the last of
//! their executions is gone, they go as well, with all of their revisions.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, WorkflowId};

use crate::parse::parse;
use crate::pool::{read, transaction};
use crate::schema::{executions, workflows};
use crate::sql_types::Timestamp;
use crate::{Error, Store, System, Tenant};

/// A deleted workflow that may have unfinished executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// Whose.
    pub tenant: Tenant,
    /// Which.
    pub id: WorkflowId,
    /// Whether every submit that began before the deletion is over: what is not there now never will be.
    pub is_quiet: bool,
}

/// Longer than any submit takes.
const QUIET_AFTER: TimeDelta = TimeDelta::seconds(60);

impl Store {
    /// Up to `limit` deleted workflows that may have unfinished executions, oldest deletion first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deletions(&self, system: System, limit: i64) -> Result<Vec<Deletion>, Error> {
        let now = self.now().await?;
        let rows = read!(self, system, |connection| {
            let deleted = workflows::table
                .filter(
                    workflows::deleted_at
                        .is_not_null()
                        .and(workflows::emptied_at.is_null()),
                )
                .order(workflows::deleted_at)
                .limit(limit)
                .select((workflows::organization_id, workflows::id, workflows::deleted_at));
            Ok(deleted
                .load::<(String, String, Option<Timestamp>)>(connection)
                .await?)
        })?;
        let deletion = |(organization_id, id, deleted_at): (String, String, Option<Timestamp>)| {
            let deleted_at: Option<DateTime<Utc>> = deleted_at.map(Into::into);
            Ok(Deletion {
                tenant: Tenant(parse("organization id", &organization_id)?),
                id: parse("workflow id", &id)?,
                is_quiet: deleted_at.is_some_and(|deleted_at| now - deleted_at > QUIET_AFTER),
            })
        };
        rows.into_iter().map(deletion).collect()
    }

    /// Of the `limit` newest executions of a workflow that are older than `before`: those that have not ended, and the
    /// oldest that was looked at, from which to go on; `None` when there are no more. Looks at ended ones as well, since no
    /// index holds the others: that would be one more for everything that moves an execution to write to.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unfinished_executions(
        &self,
        tenant: &Tenant,
        id: &WorkflowId,
        before: Option<&ExecutionId>,
        limit: i64,
    ) -> Result<(Vec<ExecutionId>, Option<ExecutionId>), Error> {
        // Greater than every id.
        const LAST: &str = "wf_exec_~";
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let before = before.map_or_else(|| LAST.to_owned(), ToString::to_string);
        let rows = read!(self, tenant, |connection| {
            let page = executions::table
                .filter(
                    executions::organization_id
                        .eq(organization_id)
                        .and(executions::workflow_id.eq(id))
                        .and(executions::id.lt(before)),
                )
                .order(executions::id.desc())
                .limit(limit)
                .select((executions::id, executions::completed_at.is_null()));
            Ok(page.load::<(String, bool)>(connection).await?)
        })?;
        let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
        let last = rows.last().filter(|_| full).map(|(id, _)| id.clone());
        let unfinished: Result<Vec<_>, _> = rows
            .iter()
            .filter(|(_, unfinished)| *unfinished)
            .map(|(id, _)| parse("execution id", id))
            .collect();
        let last = last.map(|id| parse("execution id", &id)).transpose()?;
        Ok((unfinished?, last))
    }

    /// Notes that a deleted workflow has no unfinished executions.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_emptied(&self, tenant: &Tenant, id: &WorkflowId) -> Result<(), Error> {
        let now = Timestamp(self.now().await?);
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        transaction!(self, tenant, |connection| {
            let deleted = workflows::table.filter(
                workflows::organization_id
                    .eq(organization_id)
                    .and(workflows::id.eq(id))
                    .and(workflows::deleted_at.is_not_null()),
            );
            diesel::update(deleted)
                .set(workflows::emptied_at.eq(now))
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    /// Removes up to `limit` deleted workflows that no execution is left of, with their revisions. Answers with how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_deleted_workflows(&self, system: System, limit: i64) -> Result<usize, Error> {
        transaction!(self, system, |connection| {
            let bare = workflows::table
                .filter(
                    workflows::deleted_at
                        .is_not_null()
                        .and(workflows::emptied_at.is_not_null())
                        .and(diesel::dsl::not(diesel::dsl::exists(
                            executions::table.filter(
                                executions::organization_id
                                    .eq(workflows::organization_id)
                                    .and(executions::workflow_id.eq(workflows::id)),
                            ),
                        ))),
                )
                .order(workflows::deleted_at)
                .limit(limit)
                .select(workflows::id);
            let bare: Vec<String> = bare.load(connection).await?;
            if bare.is_empty() {
                return Ok(0);
            }
            // Should an execution have come all the same, its foreign key keeps the workflow.
            let removed = diesel::delete(workflows::table.filter(workflows::id.eq_any(bare)));
            Ok(removed.execute(connection).await?)
        })
    }
}
