//! `POST /executions/{id}/cancel`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use gristmill_store::Cancelled;
use tracing::info;

use super::view::Body;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Ends an execution, and everything below it, at once. Cancelling what is CANCELLED changes nothing and is no error. The
/// answer is a minimal one for who may not look at executions.
#[utoipa::path(
    post,
    path = "/executions/{id}/cancel",
    operation_id = "cancelExecution",
    params(("id" = schema::ExecutionId, Path, description = "The execution's id.")),
    responses(
        (status = 200, description = "It is CANCELLED, now or since before.", body = Body),
        (status = 409, description = "`execution-ended`: it is COMPLETED or FAILED."),
    )
)]
pub(crate) async fn cancel(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    match store
        .protocol()
        .cancel(&tenant, &principal.actor(), &id)
        .await
        .map_err(Error::from_write)?
    {
        Cancelled::Yes(executions) => {
            info!(execution.id = %id, executions, "cancelled");
            // It may have been somebody's child.
            state.services.wakeups.relay.wake();
        }
        Cancelled::Already => {}
        Cancelled::Ended(status) => return Err(Error::Ended(status)),
        Cancelled::Unknown => return Err(Error::NotFound("execution")),
    }
    json(
        StatusCode::OK,
        &Body::load(store, &tenant, &id, principal.shown()).await?,
    )
}
