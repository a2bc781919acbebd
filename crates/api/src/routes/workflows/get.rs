//! `GET /api/v1/ai-hub/workflows/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;

use super::view::Body;
use crate::answer::json;
use crate::error::Error;
use crate::extract::Id;
use crate::openapi::schema;
use crate::principal::Principal;
use crate::state::AppState;

/// A workflow, with its newest revision.
#[utoipa::path(
    get,
    path = "/api/v1/ai-hub/workflows/{id}",
    operation_id = "getWorkflow",
    params(("id" = schema::WorkflowId, Path, description = "The workflow's id.")),
    responses((status = 200, description = "Its newest revision.", body = Body<'static>))
)]
pub(crate) async fn get(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let found = state.services.store.workflow(&principal.tenant(), &id).await?;
    let workflow = found.ok_or(Error::NotFound("workflow"))?;
    json(StatusCode::OK, &Body::new(&workflow)?)
}
