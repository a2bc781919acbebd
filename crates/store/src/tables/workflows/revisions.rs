//! Revisions: what a workflow was each time that it was saved. None is ever changed.

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{OrganizationId, WorkflowId, boxed};

use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::{workflow_revisions, workflows};
use crate::{Error, Store, System, Tenant};

/// Makes the definition the workflow's newest revision, unless it is that already. `$row` is the workflow, locked by an
/// update of this transaction, and its number is kept in step.
macro_rules! add_revision {
    ($connection:ident, $organization_id:ident, $id:ident, $row:ident, $definition:ident, $facts:ident) => {
        let newest = workflow_revisions::table
            .find((&$organization_id, &$id, $row.revision))
            .select(workflow_revisions::definition);
        if newest.first::<String>($connection).await? != $definition {
            $row.revision += 1;
            let new = (
                workflow_revisions::organization_id.eq(&$organization_id),
                workflow_revisions::workflow_id.eq(&$id),
                workflow_revisions::revision.eq($row.revision),
                workflow_revisions::definition.eq(&$definition),
                workflow_revisions::on_failure.eq($facts.on_failure.as_ref().map(WorkflowId::as_str)),
            );
            diesel::insert_into(workflow_revisions::table)
                .values(new)
                .execute($connection)
                .await?;
            let bump = diesel::update(workflows::table.find(&$id)).set(workflows::revision.eq($row.revision));
            bump.execute($connection).await?;
        }
    };
}

pub(crate) use add_revision;

/// What a workflow was when it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// 1, 2, ….
    pub revision: i32,
    /// As it was sent.
    pub definition: String,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// Up to `limit` revisions of a workflow of the tenant's, newest first, from below `before` on. `None` when the tenant
    /// has no such workflow.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn revisions(
        &self,
        tenant: &Tenant,
        id: &WorkflowId,
        before: i32,
        limit: i64,
    ) -> Result<Option<Vec<Revision>>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let found = read!(self, tenant, |connection| {
            let mine = workflows::table
                .filter(
                    workflows::organization_id
                        .eq(&organization_id)
                        .and(workflows::id.eq(&id))
                        .and(workflows::deleted_at.is_null()),
                )
                .select(workflows::revision);
            if mine.first::<i32>(connection).await.optional()?.is_none() {
                return Ok(None);
            }
            let revisions = workflow_revisions::table
                .filter(
                    workflow_revisions::organization_id
                        .eq(&organization_id)
                        .and(workflow_revisions::workflow_id.eq(&id))
                        .and(workflow_revisions::revision.lt(before)),
                )
                .order(workflow_revisions::revision.desc())
                .limit(limit)
                .select((
                    workflow_revisions::revision,
                    workflow_revisions::definition,
                    workflow_revisions::created_at,
                ));
            Ok(Some(
                revisions.load::<(i32, String, Timestamp)>(connection).await?,
            ))
        })?;
        let revision = |(revision, definition, created_at): (i32, String, Timestamp)| Revision {
            revision,
            definition,
            created_at: created_at.into(),
        };
        Ok(found.map(|rows| rows.into_iter().map(revision).collect()))
    }

    /// One revision's definition, of a workflow of this organization: for running it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn revision(
        &self,
        system: System,
        organization_id: &OrganizationId,
        id: &WorkflowId,
        revision: i32,
    ) -> Result<Option<String>, Error> {
        let key = (organization_id.to_string(), id.to_string(), revision);
        read!(self, system, |connection| {
            let definition = workflow_revisions::table
                .find(key)
                .select(workflow_revisions::definition);
            Ok(definition.first::<String>(connection).await.optional()?)
        })
    }

    /// One revision's definition, of a workflow of the tenant's.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn definition(
        &self,
        tenant: &Tenant,
        id: &WorkflowId,
        revision: i32,
    ) -> Result<Option<String>, Error> {
        let key = (tenant.0.to_string(), id.to_string(), revision);
        read!(self, tenant, |connection| {
            let definition = workflow_revisions::table
                .find(key)
                .select(workflow_revisions::definition);
            Ok(definition.first::<String>(connection).await.optional()?)
        })
    }
}
