//! `GET /templates/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::TemplateId;
use gristmill_core::access::Permission;

use super::view::{Body, shown};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// A template, with its definition.
#[utoipa::path(
    get,
    path = "/templates/{id}",
    operation_id = "getTemplate",
    params(
        ("id" = schema::TemplateId, Path, description = "The template's id."),
    ),
    responses(
        (status = 200, description = "With its definition.", body = Body<'static>),
    )
)]
pub(crate) async fn get(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<TemplateId>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let found = state.services.store.template(&principal.tenant(), &id).await?;
    shown(&found.ok_or(Error::NotFound("template"))?)
}
