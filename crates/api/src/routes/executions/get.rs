//! `GET /api/v1/ai-hub/executions/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;

use super::view::Body;
use crate::answer::json;
use crate::error::Error;
use crate::extract::{Id, Return};
use crate::principal::Principal;
use crate::state::AppState;

/// How an execution stands, with the beginning of its log.
pub(crate) async fn get(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let shown = Return::Representation;
    let body = Body::load(&state.services.store, &principal.tenant(), &id, shown).await?;
    json(StatusCode::OK, &body)
}
