//! Workflows: workflows; what they do is in their revisions.

mod change;
mod deletion;
mod details;
mod list;
pub(crate) mod revisions;

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, JoinOnDsl, OptionalExtension,
    QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{KeptDays, Settings, TemplateId, UserId, WorkflowId, boxed};
use serde_json::json;

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::sql_types::Timestamp;
use crate::schema::{workflow_revisions, workflows};
use crate::tables::audit;
use crate::tables::usage::{admit_workflow, lock_workflows};
use crate::{Action, Actor, Error, Store, Tenant};

pub use change::{WorkflowChange, WorkflowChanged, WorkflowSwitch};
pub use deletion::Deletion;
pub use details::{WorkflowCreator, WorkflowDetails, WorkflowOrigin};
pub(crate) use list::pattern;
pub use list::{ListedWorkflow, WorkflowFilter, WorkflowPage, WorkflowSort};

/// A workflow to be.
#[derive(Debug, Clone)]
pub struct NewWorkflow {
    /// Made by the caller.
    pub id: WorkflowId,
    /// What it is called; names may repeat.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The user's own label.
    pub version: String,
    /// A JSON array of strings, as serialized.
    pub tags: String,
    /// Whether it may be run.
    pub is_active: bool,
    /// `{"nodes":…,"edges":…,"variables":…,"settings":…}` as it was sent: revision 1.
    pub definition: String,
    /// What the store must know of it.
    pub facts: DefinitionFacts,
    /// The template that it is made from.
    pub template_id: Option<TemplateId>,
    /// Who made it.
    pub created_by: UserId,
    /// How many workflows the organization may have; `None` = as many as it likes.
    pub limit: Option<u32>,
}

/// The lane of a workflow that names none.
const DEFAULT_LANE: &str = "default";

/// What the store must know of a definition, so that nothing that it does has to read one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionFacts {
    /// Where the jobs of its executions go.
    pub lane: String,
    /// From an execution's first claim to its deadline.
    pub timeout: Option<Duration>,
    /// Whether its trigger has an input schema.
    pub checks_input: bool,
    /// The workflow that its failed executions are handed to.
    pub on_failure: Option<WorkflowId>,
    /// How long its ended executions are kept, where that is not as configured.
    pub retention: KeptDays,
}

impl From<&Settings> for DefinitionFacts {
    /// What follows from the settings; the input schema does not.
    fn from(settings: &Settings) -> Self {
        Self {
            lane: settings.lane.clone().unwrap_or_else(|| DEFAULT_LANE.to_owned()),
            timeout: settings.timeout_ms.map(Duration::from_millis),
            checks_input: false,
            on_failure: settings.on_failure.clone(),
            retention: settings.retention,
        }
    }
}

impl DefinitionFacts {
    /// The columns of `workflows` that follow from a revision.
    pub(crate) fn changes(&self) -> Changes {
        let days = |days: Option<u32>| days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
        Changes {
            lane: self.lane.clone(),
            timeout_ms: self
                .timeout
                .map(|timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX)),
            checks_input: self.checks_input,
            retain_completed_days: days(self.retention.completed_days),
            retain_failed_days: days(self.retention.failed_days),
            retain_cancelled_days: days(self.retention.cancelled_days),
        }
    }
}

/// [`DefinitionFacts`] as columns of `workflows`.
#[derive(Insertable, AsChangeset, Queryable, Selectable, PartialEq, Eq)]
#[diesel(table_name = workflows, treat_none_as_null = true)]
pub(crate) struct Changes {
    lane: String,
    timeout_ms: Option<i64>,
    checks_input: bool,
    retain_completed_days: Option<i32>,
    retain_failed_days: Option<i32>,
    retain_cancelled_days: Option<i32>,
}

/// A stored workflow with its newest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The user's own label.
    pub version: String,
    /// A JSON array of strings, as serialized.
    pub tags: String,
    /// Whether it may be run.
    pub is_active: bool,
    /// The number of its newest revision; the first is 1.
    pub revision: i32,
    /// Where its jobs go.
    pub lane: String,
    /// The newest revision, as it was sent.
    pub definition: String,
    /// The template that it was made from.
    pub template_id: Option<TemplateId>,
    /// Raised by every change that a user makes: what the ETag says.
    pub edition: i32,
    /// Since when submits are recorded and not started.
    pub paused_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = workflows)]
pub(crate) struct Row {
    id: String,
    name: String,
    description: Option<String>,
    version: String,
    tags: String,
    is_active: bool,
    pub(crate) revision: i32,
    lane: String,
    template_id: Option<String>,
    edition: i32,
    paused_at: Option<Timestamp>,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a search looks through: the same for every database, whatever it takes for lower case.
pub(crate) fn search_text(name: &str, description: Option<&str>) -> String {
    format!("{name}\n{}", description.unwrap_or_default()).to_lowercase()
}

/// Workflows, each with the definition that is its newest, and with what else is selected of it.
macro_rules! newest_revisions {
    ($($more:expr)?) => {
        workflows::table
            .inner_join(
                workflow_revisions::table.on(workflow_revisions::organization_id
                    .eq(workflows::organization_id)
                    .and(workflow_revisions::workflow_id.eq(workflows::id))
                    .and(workflow_revisions::revision.eq(workflows::revision))),
            )
            .filter(workflows::deleted_at.is_null())
            .select((Row::as_select(), workflow_revisions::definition, $($more)?))
    };
}

use newest_revisions;

impl Store {
    /// Stores a workflow with its revision 1.
    ///
    /// # Errors
    /// When the database does not answer, [`Error::LimitReached`], or [`Error::Statement`] when the tenant or the user does
    /// not exist.
    #[boxed]
    pub async fn create_workflow(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        new: NewWorkflow,
    ) -> Result<Workflow, Error> {
        // Read once: the columns' defaults read the clock twice, and a new workflow would at times look like a changed one.
        let now = Timestamp(self.now().await?);
        let organization_id = tenant.0.to_string();
        let definition = new.definition.clone();
        let search = search_text(&new.name, new.description.as_deref());
        let detail = json!({"name": new.name, "revision": 1});
        let entry = audit::insert(tenant, actor, Action::WorkflowCreate, &new.id, &detail);
        let lock = lock_workflows(self);
        let row = transaction!(self, tenant, |connection| {
            admit_workflow!(connection, lock, &organization_id, new.limit);
            let id = new.id.to_string();
            let workflow = (
                workflows::id.eq(&id),
                workflows::organization_id.eq(&organization_id),
                workflows::name.eq(new.name),
                workflows::description.eq(new.description),
                workflows::version.eq(new.version),
                workflows::tags.eq(new.tags),
                workflows::is_active.eq(new.is_active),
                workflows::revision.eq(1),
                workflows::search_text.eq(search),
                workflows::template_id.eq(new.template_id.map(|id| id.to_string())),
                new.facts.changes(),
                workflows::created_by.eq(new.created_by.to_string()),
                workflows::created_at.eq(now),
                workflows::updated_at.eq(now),
            );
            let row = diesel::insert_into(workflows::table)
                .values(workflow)
                .returning(Row::as_returning())
                .get_result::<Row>(connection)
                .await?;
            let revision = (
                workflow_revisions::organization_id.eq(&organization_id),
                workflow_revisions::workflow_id.eq(&id),
                workflow_revisions::revision.eq(1),
                workflow_revisions::definition.eq(new.definition),
                workflow_revisions::on_failure.eq(new.facts.on_failure.map(|id| id.to_string())),
            );
            diesel::insert_into(workflow_revisions::table)
                .values(revision)
                .execute(connection)
                .await?;
            entry.execute(connection).await?;
            Ok(row)
        })?;
        workflow((row, definition))
    }

    /// A workflow of the tenant's.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn workflow(&self, tenant: &Tenant, id: &WorkflowId) -> Result<Option<Workflow>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let found = read!(self, tenant, |connection| {
            let found = newest_revisions!()
                .filter(
                    workflows::organization_id
                        .eq(organization_id)
                        .and(workflows::id.eq(id)),
                )
                .first::<(Row, String)>(connection);
            Ok(found.await.optional()?)
        })?;
        found.map(workflow).transpose()
    }
}

pub(crate) fn workflow((row, definition): (Row, String)) -> Result<Workflow, Error> {
    Ok(Workflow {
        id: parse("workflow id", &row.id)?,
        name: row.name,
        description: row.description,
        version: row.version,
        tags: row.tags,
        is_active: row.is_active,
        revision: row.revision,
        lane: row.lane,
        definition,
        template_id: row.template_id.map(|id| parse("template id", &id)).transpose()?,
        edition: row.edition,
        paused_at: row.paused_at.map(Into::into),
        created_by: parse("user id", &row.created_by)?,
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
    })
}
