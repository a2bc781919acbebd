//! `POST /api/v1/ai-hub/workflows`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::NewWorkflow;

use super::submission::Submission;
use super::view::Body;
use crate::answer::json;
use crate::error::Error;
use crate::extract::Document;
use crate::openapi::schema;
use crate::principal::Principal;
use crate::state::AppState;

/// Stores a workflow with its first revision, or says everything that is wrong with it.
#[utoipa::path(
    post,
    path = "/api/v1/ai-hub/workflows",
    operation_id = "createWorkflow",
    request_body = schema::CreateWorkflowRequest,
    responses((
        status = 201, description = "Stored.", body = Body<'static>,
        headers(("location" = String, description = "The workflow's path."))
    ))
)]
pub(crate) async fn create(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsCreate)?;
    let submission = Submission::read(&document, &state.services.registry, &state.options.lanes)
        .map_err(Error::Invalid)?;
    let new = NewWorkflow {
        id: WorkflowId::new(),
        name: submission.name,
        description: submission.description,
        version: submission.version,
        tags: submission.tags,
        is_active: submission.is_active,
        facts: submission.facts,
        definition: submission.definition,
        created_by: principal.user.clone(),
    };
    let workflow = state
        .services
        .store
        .create_workflow(&principal.tenant(), new)
        .await
        .map_err(Error::from_write)?;
    let location = format!("/api/v1/ai-hub/workflows/{}", workflow.id);
    let answer = json(StatusCode::CREATED, &Body::new(&workflow)?)?;
    Ok(([(LOCATION, location)], answer).into_response())
}
