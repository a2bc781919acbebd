//! `GET /api/v1/ai-hub/templates`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::access::Permission;
use gristmill_store::TemplateFilter;
use serde::Serialize;

use super::view::View;
use crate::answer::json;
use crate::error::Error;
use crate::extract::Params;
use crate::principal::Principal;
use crate::state::AppState;

/// How many a page holds unless asked otherwise, and at most.
const LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 100;

#[derive(Serialize)]
struct Body<'a> {
    templates: Vec<View<'a>>,
    /// How many the filter wants, on all pages.
    total: i64,
}

/// One page of the catalogue, of what others share and of the organization's own templates, by name.
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    mut params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    params.refuse_unknown(&["category", "search", "limit", "offset"]);
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
    let templates: Result<Vec<_>, _> = found.iter().map(View::brief).collect();
    json(
        StatusCode::OK,
        &Body {
            templates: templates?,
            total,
        },
    )
}
