//! What is told of one workflow beside itself.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
    Queryable,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, TemplateId, UserId};

use super::Workflow;
use crate::parse::parse;
use crate::pool::read;
use crate::schema::{executions, users, workflow_stats, workflow_templates};
use crate::sql_types::Timestamp;
use crate::{Error, Store, Tenant};

/// Who made a workflow, where it comes from and what has become of its executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Who made it.
    pub creator: Creator,
    /// The template that it was made from, for as long as the tenant sees that.
    pub template: Option<Origin>,
    /// The last executions, newest first.
    pub recent: Vec<Recent>,
    /// How many executions have ended, as of the last count.
    pub execution_count: i64,
    /// When the last of them did.
    pub last_executed_at: Option<DateTime<Utc>>,
}

/// Who made a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// Their id.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// The template that a workflow was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: String,
    /// What it belongs to.
    pub category: String,
}

/// One of the last executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// Its id.
    pub id: ExecutionId,
    /// Which revision it runs.
    pub revision: i32,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(Queryable)]
struct Row {
    id: String,
    revision: i32,
    status: String,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl Store {
    /// What is told of a workflow of the tenant's, with its `recent` last executions.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn about_workflow(
        &self,
        tenant: &Tenant,
        workflow: &Workflow,
        recent: i64,
    ) -> Result<About, Error> {
        let organization_id = tenant.0.to_string();
        let (id, user_id) = (workflow.id.to_string(), workflow.created_by.to_string());
        let template_id = workflow.template_id.as_ref().map(ToString::to_string);
        let (creator, template, rows, counted) = read!(self, tenant, |connection| {
            let creator = users::table.find(user_id).select((users::name, users::email));
            let creator = creator.first::<(String, String)>(connection).await?;
            let template = workflow_templates::table
                .filter(
                    workflow_templates::id.eq(template_id.unwrap_or_default()).and(
                        workflow_templates::is_shared.or(workflow_templates::organization_id
                            .assume_not_null()
                            .eq(&organization_id)),
                    ),
                )
                .select((workflow_templates::name, workflow_templates::category));
            let template = template.first::<(String, String)>(connection).await.optional()?;
            let rows = executions::table
                .filter(
                    executions::organization_id
                        .eq(&organization_id)
                        .and(executions::workflow_id.eq(&id)),
                )
                // Ids are in order of age.
                .order(executions::id.desc())
                .limit(recent)
                .select((
                    executions::id,
                    executions::revision,
                    executions::status,
                    executions::created_at,
                    executions::started_at,
                    executions::completed_at,
                ));
            let rows = rows.load::<Row>(connection).await?;
            let counted = workflow_stats::table
                .find((&organization_id, &id))
                .select((workflow_stats::executions, workflow_stats::last_executed_at));
            let counted = counted
                .first::<(i64, Option<Timestamp>)>(connection)
                .await
                .optional()?;
            Ok((creator, template, rows, counted))
        })?;
        let (execution_count, last_executed_at) = counted.unwrap_or((0, None));
        let recent: Result<Vec<_>, _> = rows.into_iter().map(Recent::try_from).collect();
        Ok(About {
            creator: Creator {
                id: workflow.created_by.clone(),
                name: creator.0,
                email: creator.1,
            },
            template: template
                .zip(workflow.template_id.clone())
                .map(|((name, category), id)| Origin { id, name, category }),
            recent: recent?,
            execution_count,
            last_executed_at: last_executed_at.map(Into::into),
        })
    }
}

impl TryFrom<Row> for Recent {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("execution id", &row.id)?,
            revision: row.revision,
            status: parse("execution status", &row.status)?,
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
        })
    }
}
