//! `GET /executions`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::access::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::filter;
use super::summary::Summary;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::cursor;
use crate::http::error::Error;
use crate::http::extract::Filters;
use crate::http::openapi::query;
use crate::state::AppState;

/// A page of executions.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionPage)]
#[serde(rename_all = "camelCase")]
struct Body {
    executions: Vec<Summary>,
    /// What to ask for as `cursor` next; null at the end of the list.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One page of executions, newest first. It may hold fewer than `limit`, or none, while there is a next one: what no index
/// narrows down (lanes, and tags together with anything else) is looked for among so many executions a page.
#[utoipa::path(
    get,
    path = "/executions",
    operation_id = "listExecutions",
    params(
        query::Executions,
    ),
    responses(
        (status = 200, description = "A page.", body = Body),
    )
)]
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    mut filters: Filters,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let filter = filter::from_query(&mut filters);
    let after = filters.take_with("cursor", "the `nextCursor` of an earlier answer", cursor::read);
    let limit = usize::try_from(filters.limit()).unwrap_or_default();
    filters.finish()?;
    let store = &state.services.store;
    let page = store
        .list_executions(&principal.tenant(), &filter, after.as_ref(), limit)
        .await?;
    let executions: Result<_, _> = page.executions.into_iter().map(Summary::try_from).collect();
    let body = Body {
        executions: executions?,
        next_cursor: page.next.as_ref().map(cursor::write),
    };
    json(StatusCode::OK, &body)
}
