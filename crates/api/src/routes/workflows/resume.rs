//! `POST /api/v1/ai-hub/workflows/{id}/resume`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::Switch;

use super::switch::switch;
use super::view::{Body, shown};
use crate::error::Error;
use crate::extract::{Id, IfMatch};
use crate::openapi::schema;
use crate::principal::Principal;
use crate::state::AppState;

/// Starts what was held, and everything that comes from now on.
#[utoipa::path(
    post,
    path = "/api/v1/ai-hub/workflows/{id}/resume",
    operation_id = "resumeWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IfMatch,
    ),
    responses(
        (
            status = 200, description = "It is not paused.", body = Body<'static>,
            headers(("etag" = String, description = "Its edition, for `If-Match`."))
        ),
    )
)]
pub(crate) async fn resume(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsDelete)?;
    let workflow = switch(&state, &principal, &id, &if_match, Switch::Resume).await?;
    // What it held is of any organization to the statement that starts it: that is for the system, not for a caller.
    state.services.wakeups.resume_paused.wake();
    shown(&workflow)
}
