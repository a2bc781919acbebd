//! `POST /api/v1/ai-hub/workflows/{id}/pause`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::Switch;

use super::switch::switch;
use super::view::{Body, shown};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Id, IfMatch};
use crate::http::openapi::schema;
use crate::state::AppState;

/// From now on, submits are accepted and recorded, and not started until the workflow is resumed. What has started goes
/// on.
#[utoipa::path(
    post,
    path = "/api/v1/ai-hub/workflows/{id}/pause",
    operation_id = "pauseWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IfMatch,
    ),
    responses(
        (
            status = 200, description = "It is paused, now or since before.", body = Body<'static>,
            headers(("etag" = String, description = "Its edition, for `If-Match`."))
        ),
    )
)]
pub(crate) async fn pause(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsDelete)?;
    let workflow = switch(&state, &principal, &id, &if_match, Switch::Pause).await?;
    shown(&workflow)
}
