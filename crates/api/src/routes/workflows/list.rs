//! `GET /workflows`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use gristmill_core::access::Permission;
use gristmill_core::{TemplateId, UserId, WorkflowId};
use gristmill_store::{ListedWorkflow, WorkflowFilter, WorkflowPage, WorkflowSort};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Params;
use crate::http::openapi::{query, schema};
use crate::state::AppState;

/// What a list may be sorted by.
const SORTS: [(&str, WorkflowSort); 4] = [
    ("created_at", WorkflowSort::CreatedAt),
    ("updated_at", WorkflowSort::UpdatedAt),
    ("name", WorkflowSort::Name),
    ("executionCount", WorkflowSort::ExecutionCount),
];

/// How many a page holds unless asked otherwise, and at most.
pub(crate) const LIMIT: i64 = 50;
pub(crate) const MAX_LIMIT: i64 = 100;

/// How many tags may be asked for at once.
const MAX_TAGS: usize = 100;

/// A page of workflows.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowPage)]
struct Body<'a> {
    workflows: Vec<View<'a>>,
    /// How many the filter wants, on all pages.
    total: i64,
}

/// A workflow without its definition: that may be large.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowSummary)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    #[schema(value_type = schema::WorkflowId)]
    id: &'a WorkflowId,
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    version: &'a str,
    #[schema(value_type = Vec<String>)]
    tags: &'a RawValue,
    is_active: bool,
    #[schema(required)]
    paused_at: Option<DateTime<Utc>>,
    revision: i32,
    lane: &'a str,
    #[schema(required, value_type = Option<schema::TemplateId>)]
    template_id: Option<&'a TemplateId>,
    creator: Creator<'a>,
    execution_count: i64,
    #[schema(required)]
    last_executed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Who made it.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatorName)]
struct Creator<'a> {
    #[schema(value_type = schema::UserId)]
    id: &'a UserId,
    name: &'a str,
}

/// One page of the organization's workflows, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/workflows",
    operation_id = "listWorkflows",
    params(
        query::Workflows,
    ),
    responses(
        (status = 200, description = "A page.", body = Body<'static>),
    )
)]
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let (filter, page) = read(params)?;
    let store = &state.services.store;
    let (listed, total) = store.list_workflows(&principal.tenant(), &filter, page).await?;
    let workflows: Result<Vec<_>, _> = listed.iter().map(view).collect();
    json(
        StatusCode::OK,
        &Body {
            workflows: workflows?,
            total,
        },
    )
}

fn read(mut params: Params) -> Result<(WorkflowFilter, WorkflowPage), Error> {
    let filter = WorkflowFilter {
        is_active: params.flag("isActive"),
        tags: params.texts("tags", MAX_TAGS),
        template_id: params.id("templateId"),
        search: params.text("search"),
        created_from: params.time("createdFrom"),
        created_to: params.time("createdTo"),
    };
    let page = WorkflowPage {
        limit: params.number("limit", 1..=MAX_LIMIT).unwrap_or(LIMIT),
        offset: params.number("offset", 0..=i64::MAX).unwrap_or(0),
        sort: params.choice("sortBy", &SORTS).unwrap_or_default(),
        descending: params
            .choice("sortOrder", &[("asc", false), ("desc", true)])
            .unwrap_or(true),
    };
    params.finish()?;
    Ok((filter, page))
}

fn view(listed: &ListedWorkflow) -> Result<View<'_>, Error> {
    Ok(View {
        id: &listed.id,
        name: &listed.name,
        description: listed.description.as_deref(),
        version: &listed.version,
        tags: serde_json::from_str(&listed.tags).map_err(Error::internal)?,
        is_active: listed.is_active,
        paused_at: listed.paused_at,
        revision: listed.revision,
        lane: &listed.lane,
        template_id: listed.template_id.as_ref(),
        creator: Creator {
            id: &listed.created_by.0,
            name: &listed.created_by.1,
        },
        execution_count: listed.execution_count,
        last_executed_at: listed.last_executed_at,
        created_at: listed.created_at,
        updated_at: listed.updated_at,
    })
}
