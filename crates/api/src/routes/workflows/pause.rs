//! `POST /api/v1/ai-hub/workflows/{id}/pause`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::Switch;

use super::switch::switch;
use super::view::shown;
use crate::error::Error;
use crate::extract::{Id, IfMatch};
use crate::principal::Principal;
use crate::state::AppState;

/// From now on, submits are accepted and recorded, and not started until the workflow is resumed. What has started goes
/// on.
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
