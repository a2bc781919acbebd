//! Templates: definitions to begin a workflow with. Those of the catalogue belong to nobody and are everybody's; the others
//! are an organization's, and seen by others if it shares them.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, NullableExpressionMethods,
    OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{TemplateId, UserId, boxed};
use serde_json::json;

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::sql_types::Timestamp;
use crate::schema::workflow_templates;
use crate::tables::audit;
use crate::tables::workflows::pattern;
use crate::{Action, Actor, Error, Store, Tenant};

/// A definition to begin a workflow with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// All but the definition.
    pub summary: TemplateSummary,
    /// `{"nodes":…,"edges":…,"variables":…,"settings":…}`.
    pub definition: String,
}

/// A template without its definition, which may be long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSummary {
    /// Its id.
    pub id: TemplateId,
    /// Whether it is the organization's that asks.
    pub is_own: bool,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it belongs to.
    pub category: String,
    /// A JSON array of strings, as serialized.
    pub tags: String,
    /// Whether other organizations see it.
    pub is_shared: bool,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

/// A template to be.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// Made by the caller.
    pub id: TemplateId,
    /// What it is called; names may repeat.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it belongs to.
    pub category: String,
    /// A JSON array of strings, as serialized.
    pub tags: String,
    /// Whether other organizations see it.
    pub is_shared: bool,
    /// The workflow's, as it was sent.
    pub definition: String,
    /// Who publishes it.
    pub created_by: UserId,
}

/// Which templates are wanted; `None` wants every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Of this category.
    pub category: Option<String>,
    /// With this in the name or the description, in any case.
    pub search: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = workflow_templates)]
struct SummaryRow {
    id: String,
    organization_id: Option<String>,
    name: String,
    description: Option<String>,
    category: String,
    tags: String,
    is_shared: bool,
    created_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = workflow_templates)]
struct Row {
    #[diesel(embed)]
    summary: SummaryRow,
    definition: String,
}

/// The templates that the organization sees.
macro_rules! visible {
    ($organization_id:ident) => {
        workflow_templates::table.filter(
            workflow_templates::is_shared.or(workflow_templates::organization_id
                .assume_not_null()
                .eq($organization_id.clone())),
        )
    };
}

impl Store {
    /// A template that the tenant sees.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn template(&self, tenant: &Tenant, id: &TemplateId) -> Result<Option<Template>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let found = read!(self, tenant, |connection| {
            let found = visible!(organization_id)
                .filter(workflow_templates::id.eq(id))
                .select(Row::as_select());
            Ok(found.first::<Row>(connection).await.optional()?)
        })?;
        found.map(|row| template(row, tenant)).transpose()
    }

    /// A page of the templates that the tenant sees, by name, and how many there are in all.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn list_templates(
        &self,
        tenant: &Tenant,
        filter: &TemplateFilter,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<TemplateSummary>, i64), Error> {
        let (organization_id, filter) = (tenant.0.to_string(), filter.clone());
        let (rows, total) = read!(self, tenant, |connection| {
            macro_rules! wanted {
                () => {{
                    let mut wanted = visible!(organization_id).into_boxed();
                    if let Some(category) = &filter.category {
                        wanted = wanted.filter(workflow_templates::category.eq(category.clone()));
                    }
                    if let Some(search) = &filter.search {
                        wanted = wanted.filter(
                            workflow_templates::search_text
                                .like(pattern(search))
                                .escape('!'),
                        );
                    }
                    wanted
                }};
            }
            let total = wanted!().count().get_result::<i64>(connection).await?;
            let rows = wanted!()
                .order((workflow_templates::name, workflow_templates::id))
                .limit(limit)
                .offset(offset)
                .select(SummaryRow::as_select())
                .load::<SummaryRow>(connection)
                .await?;
            Ok((rows, total))
        })?;
        let templates: Result<Vec<_>, _> = rows.into_iter().map(|row| summary(row, tenant)).collect();
        Ok((templates?, total))
    }

    /// Publishes a template of the tenant's.
    ///
    /// # Errors
    /// When the database does not answer, or [`Error::Statement`] when the tenant or the user does not exist.
    #[boxed]
    pub async fn create_template(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        new: NewTemplate,
    ) -> Result<Template, Error> {
        let now = Timestamp(self.now().await?);
        let organization_id = tenant.0.to_string();
        let search = crate::tables::workflows::search_text(&new.name, new.description.as_deref());
        let detail = json!({"name": new.name, "isShared": new.is_shared});
        let entry = audit::insert(tenant, actor, Action::TemplatePublish, &new.id, &detail);
        let row = transaction!(self, tenant, |connection| {
            let row = (
                workflow_templates::id.eq(new.id.to_string()),
                workflow_templates::organization_id.eq(organization_id),
                workflow_templates::name.eq(new.name),
                workflow_templates::description.eq(new.description),
                workflow_templates::search_text.eq(search),
                workflow_templates::category.eq(new.category),
                workflow_templates::tags.eq(new.tags),
                workflow_templates::is_shared.eq(new.is_shared),
                workflow_templates::definition.eq(new.definition),
                workflow_templates::created_by.eq(new.created_by.to_string()),
                workflow_templates::created_at.eq(now),
            );
            let row = diesel::insert_into(workflow_templates::table)
                .values(row)
                .returning(Row::as_returning())
                .get_result::<Row>(connection)
                .await?;
            entry.execute(connection).await?;
            Ok(row)
        })?;
        template(row, tenant)
    }

    /// Takes a template of the tenant's own back; workflows that were made from it stay. Answers whether there was one.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn delete_template(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &TemplateId,
    ) -> Result<bool, Error> {
        let entry = audit::insert(tenant, actor, Action::TemplateDelete, id, &json!({}));
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let deleted = transaction!(self, tenant, |connection| {
            let own = workflow_templates::table.filter(
                workflow_templates::id
                    .eq(id)
                    .and(workflow_templates::organization_id.eq(organization_id)),
            );
            let deleted = diesel::delete(own).execute(connection).await?;
            if deleted > 0 {
                entry.execute(connection).await?;
            }
            Ok(deleted)
        })?;
        Ok(deleted > 0)
    }
}

fn template(row: Row, tenant: &Tenant) -> Result<Template, Error> {
    Ok(Template {
        summary: summary(row.summary, tenant)?,
        definition: row.definition,
    })
}

fn summary(row: SummaryRow, tenant: &Tenant) -> Result<TemplateSummary, Error> {
    Ok(TemplateSummary {
        id: parse("template id", &row.id)?,
        is_own: row.organization_id.as_deref() == Some(tenant.0.as_str()),
        name: row.name,
        description: row.description,
        category: row.category,
        tags: row.tags,
        is_shared: row.is_shared,
        created_at: row.created_at.into(),
    })
}
