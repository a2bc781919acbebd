//! `POST /executions/{id}/replay`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, Problem};
use gristmill_dispatch::{Admitted, ReplayRequest, ReplayedRevision};
use serde_json::Value;

use super::view::Body;
use crate::auth::principal::Principal;
use crate::http::BASE;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Document, Id, IdempotencyKey};
use crate::http::openapi::schema;
use crate::routes::fields::Fields;
use crate::state::AppState;

/// Records a new execution with the input of an earlier one, linked to it. The answer is a minimal one for who may not look at
/// executions.
#[utoipa::path(
    post,
    path = "/executions/{id}/replay",
    operation_id = "replayExecution",
    params(
        ("id" = schema::ExecutionId, Path, description = "The execution's id."),
        IdempotencyKey,
    ),
    request_body = Option<schema::ReplayRequest>,
    responses(
        (
            status = 202, description = "The new execution.", body = Body,
            headers(("location" = String, description = "The new execution's path."))
        ),
        (status = 409, description = "`inactive-workflow`: it is switched off. `idempotency-key-reused`: for another request."),
        (status = 429, description = "`limit`: the month's executions are used up."),
    )
)]
pub(crate) async fn replay(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(original): Id<ExecutionId>,
    IdempotencyKey(key): IdempotencyKey,
    document: Option<Document>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let request = ReplayRequest {
        original,
        revision: read(document.as_ref()).map_err(Error::Invalid)?,
        idempotency_key: key,
        monthly_limit: principal.standing.limits().executions_per_month,
    };
    let (services, tenant) = (&state.services, principal.tenant());
    let admitted = services
        .admission
        .replay(&tenant, &principal.actor(), &request)
        .await?;
    let id = match admitted {
        Admitted::New(accepted) => accepted.id,
        Admitted::Known(id) => id,
        Admitted::Refused(refusal) => return Err(refusal.into()),
    };
    let location = format!("{BASE}/executions/{id}");
    let answer = json(
        StatusCode::ACCEPTED,
        &Body::load(&services.store, &tenant, &id, principal.shown()).await?,
    )?;
    Ok(([(LOCATION, location)], answer).into_response())
}

/// Reads `{"revision": "same" | "newest"}`; no body means the same.
fn read(document: Option<&Document>) -> Result<ReplayedRevision, Vec<Problem>> {
    let Some(document) = document else {
        return Ok(ReplayedRevision::Same);
    };
    let mut fields = Fields::of(document);
    fields.refuse_unknown(&["revision"]);
    let revision = match fields.value("revision") {
        None => ReplayedRevision::Same,
        Some(Value::String(text)) if text == "same" => ReplayedRevision::Same,
        Some(Value::String(text)) if text == "newest" => ReplayedRevision::Newest,
        Some(_) => {
            fields.add(
                "revision",
                "unknown_value",
                "`revision` is \"same\" or \"newest\"".to_owned(),
            );
            ReplayedRevision::Same
        }
    };
    if fields.problems.is_empty() {
        Ok(revision)
    } else {
        Err(fields.problems)
    }
}
