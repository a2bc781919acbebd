//! Deleted workflows, until nothing is left of them: first their unfinished executions are cancelled, and when the last of
//! their executions is gone, they go as well, with all of their revisions.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, not};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId, boxed};

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::sql_types::Timestamp;
use crate::schema::{executions, workflow_revisions, workflows};
use crate::{Cursor, Error, ExecutionFilter, Store, System, Tenant};

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
    #[boxed]
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

    /// Up to `limit` executions of a workflow that have not ended, newest first, from those behind `after` on, and where to
    /// go on; `None` when there are no more.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn unfinished_executions(
        &self,
        tenant: &Tenant,
        id: &WorkflowId,
        after: Option<&Cursor<ExecutionId>>,
        limit: usize,
    ) -> Result<(Vec<ExecutionId>, Option<Cursor<ExecutionId>>), Error> {
        // As a list: its statement reads what is unfinished by the index that holds nothing else.
        let statuses = ExecutionStatus::ALL.into_iter();
        let unfinished = ExecutionFilter {
            workflow_id: Some(id.clone()),
            statuses: statuses.filter(|status| !status.is_terminal()).collect(),
            ..ExecutionFilter::default()
        };
        let page = self.list_executions(tenant, &unfinished, after, limit).await?;
        let ids = page.executions.into_iter().map(|execution| execution.id);
        Ok((ids.collect(), page.next))
    }

    /// Notes that a deleted workflow has no unfinished executions.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
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

    /// Up to `limit` deleted workflows that no execution is left of, oldest deletion first: for
    /// [`Store::remove_part_of_deleted_workflow`].
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn bare_workflows(&self, system: System, limit: i64) -> Result<Vec<WorkflowId>, Error> {
        let bare = read!(self, system, |connection| {
            // Ended and unfinished ones are asked for apart, each in the words of the condition of its index and in its
            // order: nothing else knows the way from a workflow to its executions, and whoever takes the next best index to
            // meet one of them soon reads all of it for a workflow that has none. The offset keeps PostgreSQL from making a
            // join of this, which has no order.
            let ended = executions::table
                .filter(
                    executions::workflow_id
                        .eq(workflows::id)
                        .and(executions::completed_at.is_not_null()),
                )
                .order((executions::status, executions::created_at, executions::id))
                .limit(1)
                .offset(0);
            let unfinished = executions::table
                .filter(
                    executions::workflow_id
                        .eq(workflows::id)
                        .and(executions::completed_at.is_null()),
                )
                .order((executions::status, executions::created_at, executions::id))
                .limit(1)
                .offset(0);
            let bare = workflows::table
                .filter(
                    workflows::deleted_at
                        .is_not_null()
                        .and(workflows::emptied_at.is_not_null())
                        .and(not(exists(ended)))
                        .and(not(exists(unfinished))),
                )
                .order(workflows::deleted_at)
                .limit(limit)
                .select(workflows::id);
            Ok(bare.load::<String>(connection).await?)
        })?;
        bare.iter().map(|id| parse("workflow id", id)).collect()
    }

    /// Removes the oldest revision of a deleted workflow or, when that is the last one, the workflow with it. Answers
    /// whether the workflow is gone.
    ///
    /// No index leads from a revision to its executions, so for each that is removed the database reads an organization's
    /// whole table to see that nothing points at it. All of a workflow's at once would take longer than a statement may, and
    /// would then be tried again for ever; one at a time, each is a step that stays made.
    ///
    /// # Errors
    /// When the database does not answer. Should an execution have come all the same, its foreign key keeps the revision.
    #[boxed]
    pub async fn remove_part_of_deleted_workflow(
        &self,
        system: System,
        id: &WorkflowId,
    ) -> Result<bool, Error> {
        let id = id.to_string();
        transaction!(self, system, |connection| {
            let deleted = workflows::table.filter(
                workflows::id
                    .eq(&id)
                    .and(workflows::deleted_at.is_not_null())
                    .and(workflows::emptied_at.is_not_null()),
            );
            let whose = deleted.select(workflows::organization_id);
            let Some(organization_id) = whose.first::<String>(connection).await.optional()? else {
                return Ok(true);
            };
            let left = workflow_revisions::table
                .filter(
                    workflow_revisions::organization_id
                        .eq(&organization_id)
                        .and(workflow_revisions::workflow_id.eq(&id)),
                )
                .order(workflow_revisions::revision)
                .limit(2)
                .select(workflow_revisions::revision);
            let left: Vec<i32> = left.load(connection).await?;
            if let [oldest, _] = left[..] {
                let oldest = workflow_revisions::table.find((&organization_id, &id, oldest));
                diesel::delete(oldest).execute(connection).await?;
                return Ok(false);
            }
            diesel::delete(deleted).execute(connection).await?;
            Ok(true)
        })
    }
}
