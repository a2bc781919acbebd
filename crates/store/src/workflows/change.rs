//! Changing, switching, pausing and deleting a workflow. Whoever saw an older edition than the row's changes nothing.

use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{TemplateId, WorkflowId};
use serde_json::json;

use super::{Facts, Row, Workflow, search_text, workflow};
use crate::pool::transaction;
use crate::revisions::add_revision;
use crate::schema::{workflow_revisions, workflows};
use crate::sql_types::Timestamp;
use crate::{Action, Actor, Error, Store, Tenant, audit};

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
    pub facts: Facts,
}

/// A change that needs no new definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On → off, off → on.
    Toggle,
    /// Submits are recorded and held from now on.
    Pause,
    /// They are started again. What is held is started by [`crate::Protocol::release_held`].
    Resume,
    /// There is no such workflow from now on; its executions stay. Unfinished ones are for the caller to cancel
    /// ([`Store::unfinished_executions`]).
    Delete,
}

impl Switch {
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
pub enum Changed {
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
        let raise = workflows::edition.eq(workflows::edition + 1);
        let changed = diesel::update(target)
            .set((raise, $set))
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

/// [`Changed`], before the row was read.
enum Outcome {
    Yes(Box<(Row, String)>),
    Stale,
    Unknown,
}

impl Outcome {
    fn read(self) -> Result<Changed, Error> {
        Ok(match self {
            Self::Yes(found) => Changed::Yes(Box::new(workflow(*found)?)),
            Self::Stale => Changed::Stale,
            Self::Unknown => Changed::Unknown,
        })
    }
}

impl Store {
    /// Changes a workflow of the tenant's, if it still has the edition that the change was made from.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_workflow(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &WorkflowId,
        edition: i32,
        change: WorkflowChange,
    ) -> Result<Changed, Error> {
        let now = Timestamp(self.now().await?);
        let (tenant, actor) = (tenant.clone(), actor.clone());
        let (organization_id, id, edition) = (tenant.0.to_string(), id.to_string(), Some(edition));
        let search = search_text(&change.name, change.description.as_deref());
        let outcome = transaction!(self, &tenant, |connection| {
            let WorkflowChange {
                definition, facts, ..
            } = change;
            let set = (
                workflows::name.eq(change.name),
                workflows::description.eq(change.description),
                workflows::version.eq(change.version),
                workflows::tags.eq(change.tags),
                workflows::is_active.eq(change.is_active),
                workflows::template_id.eq(change.template_id.map(|id| id.to_string())),
                workflows::search_text.eq(search),
                workflows::updated_at.eq(now),
                facts.changes(),
            );
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

    /// Switches a workflow of the tenant's, if it has the expected edition.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn switch_workflow(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &WorkflowId,
        edition: Option<i32>,
        switch: Switch,
    ) -> Result<Changed, Error> {
        let now = Timestamp(self.now().await?);
        let (tenant, actor) = (tenant.clone(), actor.clone());
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let outcome = transaction!(self, &tenant, |connection| {
            // The update comes first for its lock: what is switched is what it found.
            let mut row = change!(
                connection,
                organization_id,
                id,
                edition,
                workflows::updated_at.eq(now)
            );
            let mut deleted_at = None;
            let repeated = match switch {
                Switch::Pause => row.paused_at.is_some(),
                Switch::Resume => row.paused_at.is_none(),
                Switch::Toggle | Switch::Delete => false,
            };
            match switch {
                Switch::Toggle => row.is_active = !row.is_active,
                Switch::Pause => row.paused_at = row.paused_at.or(Some(now)),
                Switch::Resume => row.paused_at = None,
                Switch::Delete => {
                    deleted_at = Some(now);
                    // For whoever looks at this only.
                    row.is_active = false;
                }
            }
            diesel::update(workflows::table.find(&id))
                .set((
                    workflows::is_active.eq(row.is_active),
                    workflows::paused_at.eq(row.paused_at),
                    workflows::deleted_at.eq(deleted_at),
                ))
                .execute(connection)
                .await?;
            if !repeated {
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
