//! `GET /executions/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;

use super::view::Body;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Id, PREFERENCE_APPLIED, Prefer, Return};
use crate::http::openapi::schema;
use crate::routes::wait::wait_for_end;
use crate::state::AppState;

/// How an execution stands, with the beginning of its log; with `Prefer: wait`, once it has ended or the wait is over,
/// whichever comes first.
#[utoipa::path(
    get,
    path = "/executions/{id}",
    operation_id = "getExecution",
    params(
        ("id" = schema::ExecutionId, Path, description = "The execution's id."),
        Prefer,
    ),
    responses((
        status = 200, description = "How it stands.", body = Body,
        headers(("preference-applied" = String, description = "What of `Prefer` was followed."))
    ))
)]
pub(crate) async fn get(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
    prefer: Prefer,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let (store, tenant, shown) = (&state.services.store, principal.tenant(), prefer.shown());
    // First of all, because waiting asks nobody whose execution it is.
    let mut body = Body::load(store, &tenant, &id, shown).await?;
    if let Some(wait) = prefer
        .wait_at_most(state.options.max_wait)
        .filter(|_| !body.has_ended())
    {
        body = match wait_for_end(&state, &id, wait).await {
            Some(ended) if shown == Return::Minimal => Body::ended(ended)?,
            _ => Body::load(store, &tenant, &id, shown).await?,
        };
    }
    let mut response = json(StatusCode::OK, &body)?;
    if let Some(applied) = prefer.applied(state.options.max_wait) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}
