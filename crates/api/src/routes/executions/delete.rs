//! `DELETE /executions/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use gristmill_store::Deleted;
use tracing::info;

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Deletes an execution that has ended, with its journal, its inbox and its idempotency key.
#[utoipa::path(
    delete,
    path = "/executions/{id}",
    operation_id = "deleteExecution",
    params(("id" = schema::ExecutionId, Path, description = "The execution's id.")),
    responses(
        (status = 204, description = "It is gone, with journal, inbox and idempotency key."),
        (
            status = 409,
            description = "`execution-unfinished`: it has not ended. `parent-unfinished`: what may still ask for it has not."
        ),
    )
)]
pub(crate) async fn delete(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
) -> Result<StatusCode, Error> {
    principal.require(Permission::WorkflowsDelete)?;
    let protocol = state.services.store.protocol();
    match protocol
        .delete(&principal.tenant(), &principal.actor(), &id)
        .await
        .map_err(Error::from_write)?
    {
        Deleted::Yes => {
            info!(execution.id = %id, "deleted");
            Ok(StatusCode::NO_CONTENT)
        }
        Deleted::Unfinished(status) => Err(Error::Unfinished(status)),
        Deleted::ParentUnfinished => Err(Error::ParentUnfinished),
        Deleted::Unknown => Err(Error::NotFound("execution")),
    }
}
