//! `DELETE /workflows/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::WorkflowSwitch;
use tracing::{info, warn};

use super::switch::switch;
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Id, IfMatch};
use crate::http::openapi::schema;
use crate::state::AppState;

/// How many of the newest unfinished executions are cancelled before the answer, at most.
const FIRST: usize = 100;

/// Deletes a workflow. Its executions stay readable for as long as they are kept; unfinished ones are cancelled.
#[utoipa::path(
    delete,
    path = "/workflows/{id}",
    operation_id = "deleteWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IfMatch,
    ),
    responses(
        (status = 204, description = "It is gone."),
    )
)]
pub(crate) async fn delete(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    if_match: IfMatch,
) -> Result<StatusCode, Error> {
    principal.require(Permission::WorkflowsDelete)?;
    switch(&state, &principal, &id, &if_match, WorkflowSwitch::Delete).await?;
    match cancel_first(&state, &principal, &id).await {
        Ok(executions) => info!(workflow.id = %id, executions, "deleted a workflow"),
        // It is deleted whatever happens here.
        Err(error) => warn!(
            workflow.id = %id,
            error = &error as &dyn std::error::Error,
            "the executions of a deleted workflow are cancelled later"
        ),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The newest at once: mostly these are all. The background task that carries deletions to their end finds the rest.
async fn cancel_first(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
) -> Result<usize, gristmill_store::Error> {
    let (store, tenant, actor) = (&state.services.store, principal.tenant(), principal.actor());
    let (first, _) = store.unfinished_executions(&tenant, id, None, FIRST).await?;
    for execution in &first {
        store.protocol().cancel(&tenant, &actor, execution).await?;
    }
    if !first.is_empty() {
        // Some may have been somebody's children.
        state.services.wakeups.relay.wake();
    }
    Ok(first.len())
}
