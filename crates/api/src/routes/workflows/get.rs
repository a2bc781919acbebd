//! `GET /workflows/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;

use super::view::{DetailedBody, shown_with};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// How many executions are shown.
const RECENT: usize = 10;

/// A workflow with its newest revision, who made it, where it comes from and its last executions.
#[utoipa::path(
    get,
    path = "/workflows/{id}",
    operation_id = "getWorkflow",
    params(("id" = schema::WorkflowId, Path, description = "The workflow's id.")),
    responses((
        status = 200, description = "As it is now.", body = DetailedBody<'static>,
        headers(("etag" = String, description = "Its edition, for `If-Match`."))
    ))
)]
pub(crate) async fn get(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    let found = store.workflow(&tenant, &id).await?;
    let workflow = found.ok_or(Error::NotFound("workflow"))?;
    let about = store.about_workflow(&tenant, &workflow, RECENT).await?;
    shown_with(&workflow, &about)
}
