//! Details: what is told of one workflow beside itself.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{TemplateId, UserId, boxed};

use super::Workflow;
use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::{users, workflow_stats, workflow_templates};
use crate::{Error, ExecutionFilter, ExecutionSummary, Store, Tenant};

/// Who made a workflow, where it comes from and what has become of its executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowDetails {
    /// Who made it.
    pub creator: WorkflowCreator,
    /// The template that it was made from, for as long as the tenant sees that.
    pub template: Option<WorkflowOrigin>,
    /// The last executions, newest first.
    pub recent: Vec<ExecutionSummary>,
    /// How many executions have ended, as of the last count.
    pub execution_count: i64,
    /// When the last of them did.
    pub last_executed_at: Option<DateTime<Utc>>,
}

/// Who made a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowCreator {
    /// Their id.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// The template that a workflow was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowOrigin {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: String,
    /// What it belongs to.
    pub category: String,
}

impl Store {
    /// What is told of a workflow of the tenant's, with its `recent` last executions.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn about_workflow(
        &self,
        tenant: &Tenant,
        workflow: &Workflow,
        recent: usize,
    ) -> Result<WorkflowDetails, Error> {
        let organization_id = tenant.0.to_string();
        let (id, user_id) = (workflow.id.to_string(), workflow.created_by.to_string());
        let template_id = workflow.template_id.as_ref().map(ToString::to_string);
        let (creator, template, counted) = read!(self, tenant, |connection| {
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
            let counted = workflow_stats::table
                .find((&organization_id, &id))
                .select((workflow_stats::executions, workflow_stats::last_executed_at));
            let counted = counted
                .first::<(i64, Option<Timestamp>)>(connection)
                .await
                .optional()?;
            Ok((creator, template, counted))
        })?;
        let (execution_count, last_executed_at) = counted.unwrap_or((0, None));
        // As a list: nothing else knows the way from a workflow to its executions, ended and unfinished ones apart.
        let of_workflow = ExecutionFilter {
            workflow_id: Some(workflow.id.clone()),
            ..ExecutionFilter::default()
        };
        let recent = self.list_executions(tenant, &of_workflow, None, recent).await?;
        Ok(WorkflowDetails {
            creator: WorkflowCreator {
                id: workflow.created_by.clone(),
                name: creator.0,
                email: creator.1,
            },
            template: template
                .zip(workflow.template_id.clone())
                .map(|((name, category), id)| WorkflowOrigin { id, name, category }),
            recent: recent.executions,
            execution_count,
            last_executed_at: last_executed_at.map(Into::into),
        })
    }
}
