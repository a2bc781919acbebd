//! List: the list of workflows.

use chrono::{DateTime, Utc};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods,
    QueryDsl, QueryResult, Queryable, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use gristmill_core::{TemplateId, UserId, WorkflowId, boxed};

use crate::connection::parse::parse;
use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::{users, workflow_stats, workflows};
use crate::{Error, Store, Tenant};

/// Which workflows are wanted; `None` and an empty list want every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// Switched on, or off.
    pub is_active: Option<bool>,
    /// With one of these tags at least.
    pub tags: Vec<String>,
    /// Made from this template.
    pub template_id: Option<TemplateId>,
    /// With this in the name or the description, in any case.
    pub search: Option<String>,
    /// Made then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Made then or earlier.
    pub created_to: Option<DateTime<Utc>>,
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkflowSort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
    /// Their names, byte by byte.
    Name,
    /// How many executions have ended.
    ExecutionCount,
}

/// Which part of a list, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkflowPage {
    /// How many at most.
    pub limit: i64,
    /// How many are passed over.
    pub offset: i64,
    /// What comes first.
    pub sort: WorkflowSort,
    /// The other way round.
    pub descending: bool,
}

/// A workflow as a list shows it: without its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedWorkflow {
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
    /// Since when submits are recorded and not started.
    pub paused_at: Option<DateTime<Utc>>,
    /// The number of its newest revision.
    pub revision: i32,
    /// Where its jobs go.
    pub lane: String,
    /// The template that it was made from.
    pub template_id: Option<TemplateId>,
    /// Who made it, and what they are called.
    pub created_by: (UserId, String),
    /// How many executions have ended, as of the last count.
    pub execution_count: i64,
    /// When the last of them did.
    pub last_executed_at: Option<DateTime<Utc>>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable)]
struct Row {
    id: String,
    name: String,
    description: Option<String>,
    version: String,
    tags: String,
    is_active: bool,
    paused_at: Option<Timestamp>,
    revision: i32,
    lane: String,
    template_id: Option<String>,
    created_by: String,
    creator: String,
    execution_count: Option<i64>,
    last_executed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

diesel::define_sql_function! {
    /// The first that is not null.
    fn coalesce(counted: Nullable<BigInt>, otherwise: BigInt) -> BigInt;
}

/// The workflows that a filter wants, with who made them and what was counted of them.
macro_rules! wanted {
    ($organization_id:ident, $filter:ident) => {{
        let mut wanted = workflows::table
            .inner_join(users::table.on(users::id.eq(workflows::created_by)))
            .left_join(
                workflow_stats::table.on(workflow_stats::organization_id
                    .eq(workflows::organization_id)
                    .and(workflow_stats::workflow_id.eq(workflows::id))),
            )
            .filter(
                workflows::organization_id
                    .eq($organization_id.clone())
                    .and(workflows::deleted_at.is_null()),
            )
            .into_boxed();
        if let Some(is_active) = $filter.is_active {
            wanted = wanted.filter(workflows::is_active.eq(is_active));
        }
        if !$filter.tags.is_empty() {
            wanted = wanted.filter(HasAnyTag($filter.tags.clone()));
        }
        if let Some(template_id) = &$filter.template_id {
            wanted = wanted.filter(workflows::template_id.eq(template_id.to_string()));
        }
        if let Some(search) = &$filter.search {
            wanted = wanted.filter(workflows::search_text.like(pattern(search)).escape('!'));
        }
        if let Some(from) = $filter.created_from {
            wanted = wanted.filter(workflows::created_at.ge(Timestamp(from)));
        }
        if let Some(to) = $filter.created_to {
            wanted = wanted.filter(workflows::created_at.le(Timestamp(to)));
        }
        wanted
    }};
}

impl Store {
    /// A page of the tenant's workflows, and how many there are in all.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn list_workflows(
        &self,
        tenant: &Tenant,
        filter: &WorkflowFilter,
        page: WorkflowPage,
    ) -> Result<(Vec<ListedWorkflow>, i64), Error> {
        let (organization_id, filter) = (tenant.0.to_string(), filter.clone());
        let (rows, total) = read!(self, tenant, |connection| {
            let total = wanted!(organization_id, filter)
                .count()
                .get_result::<i64>(connection)
                .await?;
            let wanted = wanted!(organization_id, filter);
            let executions = coalesce(workflow_stats::executions.nullable(), 0);
            let sorted = match (page.sort, page.descending) {
                (WorkflowSort::CreatedAt, false) => wanted.order(workflows::created_at),
                (WorkflowSort::CreatedAt, true) => wanted.order(workflows::created_at.desc()),
                (WorkflowSort::UpdatedAt, false) => wanted.order(workflows::updated_at),
                (WorkflowSort::UpdatedAt, true) => wanted.order(workflows::updated_at.desc()),
                (WorkflowSort::Name, false) => wanted.order(workflows::name),
                (WorkflowSort::Name, true) => wanted.order(workflows::name.desc()),
                (WorkflowSort::ExecutionCount, false) => wanted.order(executions),
                (WorkflowSort::ExecutionCount, true) => wanted.order(executions.desc()),
            };
            // Pages need an order without ties.
            let sorted = if page.descending {
                sorted.then_order_by(workflows::id.desc())
            } else {
                sorted.then_order_by(workflows::id)
            };
            let rows = sorted
                .limit(page.limit)
                .offset(page.offset)
                .select((
                    workflows::id,
                    workflows::name,
                    workflows::description,
                    workflows::version,
                    workflows::tags,
                    workflows::is_active,
                    workflows::paused_at,
                    workflows::revision,
                    workflows::lane,
                    workflows::template_id,
                    workflows::created_by,
                    users::name,
                    workflow_stats::executions.nullable(),
                    workflow_stats::last_executed_at.nullable(),
                    workflows::created_at,
                    workflows::updated_at,
                ))
                .load::<Row>(connection)
                .await?;
            Ok((rows, total))
        })?;
        let listed: Result<Vec<_>, _> = rows.into_iter().map(ListedWorkflow::try_from).collect();
        Ok((listed?, total))
    }
}

/// What is searched for stands anywhere, and means itself: also `%` and `_`.
pub(crate) fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in search.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

impl TryFrom<Row> for ListedWorkflow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("workflow id", &row.id)?,
            name: row.name,
            description: row.description,
            version: row.version,
            tags: row.tags,
            is_active: row.is_active,
            paused_at: row.paused_at.map(Into::into),
            revision: row.revision,
            lane: row.lane,
            template_id: row.template_id.map(|id| parse("template id", &id)).transpose()?,
            created_by: (parse("user id", &row.created_by)?, row.creator),
            execution_count: row.execution_count.unwrap_or(0),
            last_executed_at: row.last_executed_at.map(Into::into),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// Whether a workflow has one of these tags: the one thing that is asked of a JSON document inside of the database.
#[derive(Debug, Clone)]
struct HasAnyTag(Vec<String>);

impl Expression for HasAnyTag {
    type SqlType = Bool;
}

impl<From> AppearsOnTable<From> for HasAnyTag {}

impl<From> SelectableExpression<From> for HasAnyTag {}

impl<GroupBy> ValidGrouping<GroupBy> for HasAnyTag {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for HasAnyTag {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for HasAnyTag {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(
            "EXISTS (SELECT FROM json_array_elements_text(workflows.tags::json) AS tag (name) WHERE tag.name = ANY (",
        );
        pass.push_bind_param::<Array<Text>, _>(&self.0)?;
        pass.push_sql("))");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for HasAnyTag {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("EXISTS (SELECT 1 FROM json_each(workflows.tags) AS tag WHERE tag.value IN (");
        for (place, tag) in self.0.iter().enumerate() {
            if place > 0 {
                pass.push_sql(", ");
            }
            pass.push_bind_param::<Text, _>(tag)?;
        }
        pass.push_sql("))");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_search_means_itself() {
        assert_eq!(pattern("50%_Ä!"), "%50!%!_ä!!%");
    }
}
