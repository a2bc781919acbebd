//! `GET /templates`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::access::Permission;
use gristmill_store::TemplateFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Summary;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Params;
use crate::http::openapi::query;
use crate::state::AppState;

/// How many a page holds unless asked otherwise, and at most.
const LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 100;

/// A page of templates.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplatePage)]
struct Body<'a> {
    templates: Vec<Summary<'a>>,
    /// How many the filter wants, on all pages.
    total: i64,
}

/// One page of the catalogue, of what others share and of the organization's own templates, by name.
#[utoipa::path(
    get,
    path = "/templates",
    operation_id = "listTemplates",
    params(
        query::Templates,
    ),
    responses(
        (status = 200, description = "A page.", body = Body<'static>),
    )
)]
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    mut params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let filter = TemplateFilter {
        category: params.text("category"),
        search: params.text("search"),
    };
    let limit = params.number("limit", 1..=MAX_LIMIT).unwrap_or(LIMIT);
    let offset = params.number("offset", 0..=i64::MAX).unwrap_or(0);
    params.finish()?;
    let (found, total) = state
        .services
        .store
        .list_templates(&principal.tenant(), &filter, limit, offset)
        .await?;
    let templates: Result<Vec<_>, _> = found.iter().map(Summary::new).collect();
    json(
        StatusCode::OK,
        &Body {
            templates: templates?,
            total,
        },
    )
}
