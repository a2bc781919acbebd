//! `POST /executions/{id}/replay`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, Problem};
use gristmill_store::{Execution, Replay, Replayed, Tenant};
use serde_json::{Map, Value};

use super::view::Body;
use crate::auth::key::sha256_hex;
use crate::auth::principal::Principal;
use crate::http::BASE;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Document, Id, IdempotencyKey};
use crate::http::openapi::schema;
use crate::routes::fields::Fields;
use crate::state::AppState;

/// How often the workflow may be saved between the check of the input and the insert.
const ROUNDS: usize = 5;

/// Which revision a replay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Revision {
    Same,
    Newest,
}

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
    let revision = read(document.as_ref()).map_err(Error::Invalid)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    for _ in 0..ROUNDS {
        let found = store
            .execution(&tenant, &original)
            .await?
            .ok_or(Error::NotFound("execution"))?;
        let (newest, problems) = match revision {
            Revision::Same => (None, Vec::new()),
            Revision::Newest => check_newest(&state, &tenant, &found).await?,
        };
        let replay = Replay {
            id: ExecutionId::new(),
            original: original.clone(),
            newest,
            idempotency_key: key.clone(),
            request_hash: sha256_hex(format!("replay\n{original}\n{revision:?}").as_bytes()),
            monthly_limit: principal.standing.limits().executions_per_month,
        };
        let id = match store
            .protocol()
            .replay(&tenant, &principal.actor(), &replay)
            .await
            .map_err(Error::from_write)?
        {
            Replayed::Accepted(accepted) => accepted.id,
            Replayed::Known(id) => id,
            Replayed::KeyReused(id) => return Err(Error::KeyReused(id)),
            Replayed::Unknown => return Err(Error::NotFound("execution")),
            Replayed::LimitReached(reached) => return Err(Error::month_used_up(reached)),
            Replayed::DeletedWorkflow => return Err(Error::NotFound("workflow")),
            Replayed::InactiveWorkflow => return Err(Error::InactiveWorkflow),
            Replayed::OtherRevision if problems.is_empty() => continue,
            Replayed::OtherRevision => return Err(Error::Invalid(problems)),
        };
        state.services.wakeups.relay.wake();
        let location = format!("{BASE}/executions/{id}");
        let answer = json(
            StatusCode::ACCEPTED,
            &Body::load(store, &tenant, &id, principal.shown()).await?,
        )?;
        return Ok(([(LOCATION, location)], answer).into_response());
    }
    Err(Error::Overtaken)
}

/// The newest revision's number, and what is wrong with the input by its schema. With an input that does not meet it the
/// number is none at all, so that only a replay that is known by its key is answered.
async fn check_newest(
    state: &AppState,
    tenant: &Tenant,
    original: &Execution,
) -> Result<(Option<i32>, Vec<Problem>), Error> {
    let input: Map<String, Value> = serde_json::from_str(&original.input).map_err(Error::internal)?;
    let workflow = state
        .services
        .store
        .workflow(tenant, &original.workflow_id)
        .await?
        .ok_or(Error::NotFound("workflow"))?;
    let problems = state
        .inputs
        .problems(tenant, &workflow.id, workflow.revision, &input)
        .await?;
    let newest = if problems.is_empty() { workflow.revision } else { 0 };
    Ok((Some(newest), problems))
}

/// Reads `{"revision": "same" | "newest"}`; no body means the same.
fn read(document: Option<&Document>) -> Result<Revision, Vec<Problem>> {
    let Some(document) = document else {
        return Ok(Revision::Same);
    };
    let mut fields = Fields::of(document);
    fields.refuse_unknown(&["revision"]);
    let revision = match fields.value("revision") {
        None => Revision::Same,
        Some(Value::String(text)) if text == "same" => Revision::Same,
        Some(Value::String(text)) if text == "newest" => Revision::Newest,
        Some(_) => {
            fields.add(
                "revision",
                "unknown_value",
                "`revision` is \"same\" or \"newest\"".to_owned(),
            );
            Revision::Same
        }
    };
    if fields.problems.is_empty() {
        Ok(revision)
    } else {
        Err(fields.problems)
    }
}
