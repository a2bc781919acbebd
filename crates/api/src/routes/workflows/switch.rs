//! The switches of a workflow: `POST /workflows/{id}/toggle`, `…/pause` and `…/resume`, and what deletion shares with them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::{Workflow, WorkflowChanged, WorkflowSwitch};

use super::view::{Body, shown};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Id, IfMatch};
use crate::http::openapi::schema;
use crate::state::AppState;

/// Switches a workflow off when it is on, and on when it is off.
#[utoipa::path(
    post,
    path = "/workflows/{id}/toggle",
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
    let workflow = switch(&state, &principal, &id, &if_match, WorkflowSwitch::Toggle).await?;
    shown(&workflow)
}

/// From now on, submits are accepted and recorded, and not started until the workflow is resumed. What has started goes
/// on.
#[utoipa::path(
    post,
    path = "/workflows/{id}/pause",
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
    let workflow = switch(&state, &principal, &id, &if_match, WorkflowSwitch::Pause).await?;
    shown(&workflow)
}

/// Starts what waited for it, and everything that comes from now on.
#[utoipa::path(
    post,
    path = "/workflows/{id}/resume",
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
    let workflow = switch(&state, &principal, &id, &if_match, WorkflowSwitch::Resume).await?;
    // What waited for it is of any organization to the statement that starts it: that is for the system, not for a caller.
    state.services.wakeups.resume_paused.wake();
    shown(&workflow)
}

/// Switches a workflow, if it is what `If-Match` says, and answers with it as it is then.
///
/// # Errors
/// 404, 412, or the database's failure.
pub(super) async fn switch(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
    if_match: &IfMatch,
    switch: WorkflowSwitch,
) -> Result<Workflow, Error> {
    let (store, tenant) = (&state.services.store, principal.tenant());
    // Without a condition there is nothing to look at first.
    let edition = if if_match.is_given() {
        let found = store.workflow(&tenant, id).await?;
        let workflow = found.ok_or(Error::NotFound("workflow"))?;
        if !if_match.accepts(workflow.edition) {
            return Err(Error::Stale);
        }
        Some(workflow.edition)
    } else {
        None
    };
    match store
        .switch_workflow(&tenant, &principal.actor(), id, edition, switch)
        .await
        .map_err(Error::from_write)?
    {
        WorkflowChanged::Yes(workflow) => Ok(*workflow),
        WorkflowChanged::Stale => Err(Error::Stale),
        WorkflowChanged::Unknown => Err(Error::NotFound("workflow")),
    }
}
