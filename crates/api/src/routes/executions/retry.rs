//! `POST /executions/{id}/retry`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use gristmill_store::Retried;
use tracing::info;

use super::view::Body;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Takes a failed execution up again: what failed, was aborted or never started runs; what completed stays. The
/// answer is a minimal one for who may not look at executions.
#[utoipa::path(
    post,
    path = "/executions/{id}/retry",
    operation_id = "retryExecution",
    params(("id" = schema::ExecutionId, Path, description = "The execution's id.")),
    responses(
        (status = 202, description = "It is PENDING again.", body = Body),
        (status = 409, description = "`not-failed`: only FAILED ones are retried."),
    )
)]
pub(crate) async fn retry(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    match store
        .protocol()
        .retry(&tenant, &principal.actor(), &id)
        .await
        .map_err(Error::from_write)?
    {
        Retried::Yes => {
            info!(execution.id = %id, "retried by an operator");
            state.services.wakeups.relay.wake();
        }
        Retried::DeletedWorkflow => return Err(Error::NotFound("workflow")),
        Retried::NotFailed(status) => return Err(Error::NotFailed(status)),
        Retried::Unknown => return Err(Error::NotFound("execution")),
    }
    json(
        StatusCode::ACCEPTED,
        &Body::load(store, &tenant, &id, principal.shown()).await?,
    )
}
