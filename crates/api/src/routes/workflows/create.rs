//! `POST /workflows`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::access::Permission;

use super::draft::Draft;
use super::view::{Body, created};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Document;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Stores a workflow with its first revision, or says everything that is wrong with it.
#[utoipa::path(
    post,
    path = "/workflows",
    operation_id = "createWorkflow",
    request_body = schema::CreateWorkflowRequest,
    responses(
        (
            status = 201, description = "Stored.", body = Body<'static>,
            headers(
                ("location" = String, description = "The workflow's path."),
                ("etag" = String, description = "Its edition, for `If-Match`."),
            )
        ),
        (status = 429, description = "`limit`: the tier allows no more workflows."),
    )
)]
pub(crate) async fn create(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsCreate)?;
    let draft = Draft::read(&document, None, &state.services.registry, &state.options.lanes)
        .map_err(Error::Invalid)?;
    let tenant = principal.tenant();
    draft.check_template(&state, &tenant).await?;
    let workflow = state
        .services
        .store
        .create_workflow(&tenant, &principal.actor(), draft.into_new(&principal))
        .await
        .map_err(Error::from_write)?;
    created(&workflow)
}
