//! `POST /api/v1/ai-hub/workflows/{id}/toggle`

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

/// Switches a workflow off when it is on, and on when it is off.
#[utoipa::path(
    post,
    path = "/api/v1/ai-hub/workflows/{id}/toggle",
    operation_id = "toggleWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IfMatch,
    ),
    responses(
        (
            status = 200, description = "As it is now.", body = Body<'static>,
            headers(("etag" = String, description = "Its edition, for `If-Match`."))
        ),
    )
)]
pub(crate) async fn toggle(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsDelete)?;
    let workflow = switch(&state, &principal, &id, &if_match, Switch::Toggle).await?;
    shown(&workflow)
}
