//! `POST /workflows/validate`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::Problem;
use gristmill_core::access::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::draft::Draft;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Document;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Whether a workflow could be stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Validation)]
struct Body {
    valid: bool,
    #[schema(value_type = Vec<schema::Fault>)]
    problems: Vec<Problem>,
}

/// Says everything that is wrong with a workflow, and stores nothing. A definition alone needs no name.
#[utoipa::path(
    post,
    path = "/workflows/validate",
    operation_id = "validateWorkflow",
    request_body = schema::WorkflowDraft,
    responses(
        (status = 200, description = "Everything that is wrong with it.", body = Body),
    )
)]
pub(crate) async fn validate(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let document = Document::parse(br#"{"name":"unnamed"}"#)?.overlaid(&document);
    let read = Draft::read(&document, None, &state.services.registry, &state.options.lanes);
    let problems = match read {
        Err(problems) => problems,
        Ok(draft) => match draft.check_template(&state, &principal.tenant()).await {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(problems)) => problems,
            Err(error) => return Err(error),
        },
    };
    let valid = problems.is_empty();
    json(StatusCode::OK, &Body { valid, problems })
}
