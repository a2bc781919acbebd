//! `DELETE /templates/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use gristmill_core::TemplateId;
use gristmill_core::access::Permission;

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Takes a template of one's own organization back. Workflows that were made from it stay.
#[utoipa::path(
    delete,
    path = "/templates/{id}",
    operation_id = "deleteTemplate",
    params(
        ("id" = schema::TemplateId, Path, description = "The template's id."),
    ),
    responses(
        (status = 204, description = "It is gone."),
    )
)]
pub(crate) async fn delete(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<TemplateId>,
) -> Result<StatusCode, Error> {
    principal.require(Permission::WorkflowsEdit)?;
    let deleted = state
        .services
        .store
        .delete_template(&principal.tenant(), &principal.actor(), &id)
        .await
        .map_err(Error::from_write)?;
    if deleted {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::NotFound("template of your organization"))
    }
}
