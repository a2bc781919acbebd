//! Change: changing, switching, pausing and deleting a workflow. Whoever saw an older edition than the row's changes
//! nothing.

use diesel::dsl::case_when;
use diesel::sql_types::Bool;
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, OptionalExtension, QueryDsl,
    Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{TemplateId, WorkflowId, boxed};
use serde_json::json;

use super::{Changes, DefinitionFacts, Row, Workflow, newest_revisions, search_text, workflow};
use crate::connection::pool::transaction;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::schema::{workflow_revisions, workflows};
use crate::tables::audit;
use crate::tables::workflows::revisions::add_revision;
use crate::{Action, Actor, Error, Store, Tenant};

/// Everything about a workflow that a user may change, as it is to be.
#[derive(Debug, Clone)]
pub struct WorkflowChange {
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
    /// The template that it was made from.
    pub template_id: Option<TemplateId>,
    /// A new revision, unless it is the newest already.
    pub definition: String,
    /// What the store must know of the definition.
    pub facts: DefinitionFacts,
}

/// [`WorkflowChange`] as columns of `workflows`.
#[derive(AsChangeset, Queryable, Selectable, PartialEq, Eq)]
#[diesel(table_name = workflows, treat_none_as_null = true)]
struct Columns {
    name: String,
    description: Option<String>,
    version: String,
    tags: String,
    is_active: bool,
    template_id: Option<String>,
    search_text: Option<String>,
    #[diesel(embed)]
    facts: Changes,
}

/// A change that needs no new definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowSwitch {
    /// On → off, off → on.
    Toggle,
    /// Submits are recorded and wait from now on.
    Pause,
    /// They are started again. What waits is started by [`crate::Protocol::resume_paused`].
    Resume,
    /// There is no such workflow from now on; its executions stay. Unfinished ones are for the caller to cancel
    /// ([`Store::unfinished_executions`]).
    Delete,
}

impl WorkflowSwitch {
    const fn action(self) -> Action {
        match self {
            Self::Toggle => Action::WorkflowToggle,
            Self::Pause => Action::WorkflowPause,
            Self::Resume => Action::WorkflowResume,
            Self::Delete => Action::WorkflowDelete,
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkflowChanged {
    /// Done: the workflow as it is now.
    Yes(Box<Workflow>),
    /// The workflow has changed since the caller read it: nothing was done.
    Stale,
    /// The tenant has no such workflow.
    Unknown,
}

/// Updates the tenant's workflow if it has the expected edition, or any when none is expected, and answers with its row.
/// Of two changes at once the second waits for the first one's commit, and then finds another edition.
macro_rules! change {
    ($connection:ident, $organization_id:ident, $id:ident, $edition:ident, $set:expr) => {{
        let any = $edition.is_none().into_sql::<Bool>();
        let target = workflows::table.filter(
            workflows::organization_id
                .eq(&$organization_id)
                .and(workflows::id.eq(&$id))
                .and(workflows::deleted_at.is_null())
                .and(any.or(workflows::edition.eq($edition.unwrap_or_default()))),
        );
        let changed = diesel::update(target)
            .set($set)
            .returning(Row::as_returning())
            .get_result::<Row>($connection)
            .await
            .optional()?;
        match changed {
            Some(row) => row,
            None => {
                let there = workflows::table.filter(
                    workflows::organization_id
                        .eq(&$organization_id)
                        .and(workflows::id.eq(&$id))
                        .and(workflows::deleted_at.is_null()),
                );
                let there = there.select(workflows::edition).first::<i32>($connection);
                return Ok(match there.await.optional()? {
                    Some(_) => Outcome::Stale,
                    None => Outcome::Unknown,
                });
            }
        }
    }};
}

/// [`WorkflowChanged`], before the row was read.
enum Outcome {
    Yes(Box<(Row, String)>),
    Stale,
    Unknown,
}

impl Outcome {
    fn read(self) -> Result<WorkflowChanged, Error> {
        Ok(match self {
            Self::Yes(found) => WorkflowChanged::Yes(Box::new(workflow(*found)?)),
            Self::Stale => WorkflowChanged::Stale,
            Self::Unknown => WorkflowChanged::Unknown,
        })
    }
}

impl Store {
    /// Changes a workflow of the tenant's, if it still has the edition that the change was made from. One that is already as
    /// it is to be is not changed, and keeps its edition: nothing is told of it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn change_workflow(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &WorkflowId,
        edition: i32,
        change: WorkflowChange,
    ) -> Result<WorkflowChanged, Error> {
        let now = Timestamp(self.now().await?);
        let (tenant, actor) = (tenant.clone(), actor.clone());
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let outcome = transaction!(self, &tenant, |connection| {
            let WorkflowChange {
                definition, facts, ..
            } = change;
            let columns = Columns {
                search_text: Some(search_text(&change.name, change.description.as_deref())),
                name: change.name,
                description: change.description,
                version: change.version,
                tags: change.tags,
                is_active: change.is_active,
                template_id: change.template_id.map(|id| id.to_string()),
                facts: facts.changes(),
            };
            // No lock is needed to see that: whoever changes the row raises its edition.
            let stands = newest_revisions!(Columns::as_select())
                .filter(
                    workflows::organization_id
                        .eq(&organization_id)
                        .and(workflows::id.eq(&id))
                        .and(workflows::edition.eq(edition)),
                )
                .first::<(Row, String, Columns)>(connection);
            if let Some((row, newest, stored)) = stands.await.optional()?
                && stored == columns
                && newest == definition
            {
                return Ok(Outcome::Yes(Box::new((row, definition))));
            }
            let edition = Some(edition);
            let raise = workflows::edition.eq(workflows::edition + 1);
            let set = (raise, workflows::updated_at.eq(now), columns);
            let mut row = change!(connection, organization_id, id, edition, set);
            add_revision!(connection, organization_id, id, row, definition, facts);
            let detail = json!({"name": row.name, "revision": row.revision, "isActive": row.is_active});
            audit::insert(&tenant, &actor, Action::WorkflowUpdate, &id, &detail)
                .execute(connection)
                .await?;
            Ok(Outcome::Yes(Box::new((row, definition))))
        })?;
        outcome.read()
    }

    /// Switches a workflow of the tenant's, if it has the expected edition. Pausing what is paused and resuming what is not
    /// changes nothing, and the edition stays.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn switch_workflow(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &WorkflowId,
        edition: Option<i32>,
        switch: WorkflowSwitch,
    ) -> Result<WorkflowChanged, Error> {
        let now = Timestamp(self.now().await?);
        let (tenant, actor) = (tenant.clone(), actor.clone());
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let outcome = transaction!(self, &tenant, |connection| {
            let (pauses, resumes) = (switch == WorkflowSwitch::Pause, switch == WorkflowSwitch::Resume);
            macro_rules! unless_repeated {
                ($column:expr, $changed:expr) => {{
                    let repeats_pause = workflows::paused_at
                        .is_not_null()
                        .and(pauses.into_sql::<Bool>());
                    let repeats_resume = workflows::paused_at
                        .is_null()
                        .and(resumes.into_sql::<Bool>());
                    $column.eq(case_when(repeats_pause.or(repeats_resume), $column).otherwise($changed))
                }};
            }
            // The update comes first for its lock: what is switched is what it found.
            let set = (
                unless_repeated!(workflows::edition, workflows::edition + 1),
                unless_repeated!(workflows::updated_at, now.into_sql::<Moment>()),
            );
            let mut row = change!(connection, organization_id, id, edition, set);
            let mut deleted_at = None;
            let repeated = match switch {
                WorkflowSwitch::Pause => row.paused_at.is_some(),
                WorkflowSwitch::Resume => row.paused_at.is_none(),
                WorkflowSwitch::Toggle | WorkflowSwitch::Delete => false,
            };
            match switch {
                WorkflowSwitch::Toggle => row.is_active = !row.is_active,
                WorkflowSwitch::Pause => row.paused_at = row.paused_at.or(Some(now)),
                WorkflowSwitch::Resume => row.paused_at = None,
                WorkflowSwitch::Delete => {
                    deleted_at = Some(now);
                    // For whoever looks at this only.
                    row.is_active = false;
                }
            }
            if !repeated {
                diesel::update(workflows::table.find(&id))
                    .set((
                        workflows::is_active.eq(row.is_active),
                        workflows::paused_at.eq(row.paused_at),
                        workflows::deleted_at.eq(deleted_at),
                    ))
                    .execute(connection)
                    .await?;
                let detail = json!({"name": row.name, "isActive": row.is_active});
                audit::insert(&tenant, &actor, switch.action(), &id, &detail)
                    .execute(connection)
                    .await?;
            }
            let definition = workflow_revisions::table
                .find((&organization_id, &id, row.revision))
                .select(workflow_revisions::definition)
                .first::<String>(connection)
                .await?;
            Ok(Outcome::Yes(Box::new((row, definition))))
        })?;
        outcome.read()
    }
}
