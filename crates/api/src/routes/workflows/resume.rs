//! `POST /api/v1/ai-hub/workflows/{id}/resume`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::{Switch, System};
use tracing::warn;

use super::switch::switch;
use super::view::{Body, shown};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Id, IfMatch};
use crate::http::openapi::schema;
use crate::state::AppState;

/// How many held executions are started before the answer.
const FIRST: i64 = 500;

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
    // The first of them at once. The background task that looks for what is left finds the rest.
    match state.services.store.protocol().release_held(System, FIRST).await {
        Ok(_) => state.services.bell.ring(),
        Err(error) => warn!(
            error = &error as &dyn std::error::Error,
            "what a paused workflow held is started later"
        ),
    }
    shown(&workflow)
}
