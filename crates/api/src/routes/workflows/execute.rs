//! `POST /api/v1/ai-hub/workflows/{id}/execute`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_store::{Accepted, Submit, Submitted, Tenant};

use serde_json::{Map, Value};

use super::input::Input;
use super::request_hash::request_hash;
use crate::answer::json;
use crate::error::Error;
use crate::extract::{Document, Id, IdempotencyKey, PREFERENCE_APPLIED, Prefer, Return};
use crate::openapi::schema;
use crate::principal::Principal;
use crate::routes::executions::view::Body;
use crate::state::AppState;
use crate::wait::wait_for_end;

/// Records an execution and answers with its id once that is committed; with `Prefer: wait`, once it has ended or the
/// wait is over, whichever comes first. With `Prefer: return=minimal` the answer says how it stands, and no more.
#[utoipa::path(
    post,
    path = "/api/v1/ai-hub/workflows/{id}/execute",
    operation_id = "submitExecution",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IdempotencyKey,
        Prefer,
    ),
    request_body = Option<schema::SubmitRequest>,
    responses(
        (
            status = 202, description = "Recorded, or known by its key.", body = Body,
            headers(
                ("location" = String, description = "The execution's path."),
                ("preference-applied" = String, description = "What of `Prefer` was followed."),
            )
        ),
        (
            status = 200, description = "It has ended within `Prefer: wait`.", body = Body,
            headers(
                ("location" = String, description = "The execution's path."),
                ("preference-applied" = String, description = "What of `Prefer` was followed."),
            )
        ),
        (
            status = 409,
            description = "`inactive-workflow`: it is switched off. `idempotency-key-reused`: for another workflow or input."
        ),
    )
)]
pub(crate) async fn execute(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(workflow_id): Id<WorkflowId>,
    IdempotencyKey(key): IdempotencyKey,
    prefer: Prefer,
    document: Option<Document>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let input = Input::read(document.as_ref()).map_err(Error::Invalid)?;
    let tenant = principal.tenant();
    let submit = Submit {
        id: ExecutionId::new(),
        request_hash: request_hash(&workflow_id, &input),
        workflow_id: workflow_id.clone(),
        input: input.text.clone(),
        idempotency_key: key,
        start: input.start,
        checked: None,
    };
    let accepted = match submit_checked(&state, &tenant, submit, &input.values).await? {
        Submitted::Accepted(accepted) => Ok(accepted),
        Submitted::Known(id) => Err(id),
        Submitted::KeyReused(id) => return Err(Error::KeyReused(id)),
        Submitted::UnknownWorkflow => return Err(Error::NotFound("workflow")),
        Submitted::InactiveWorkflow => return Err(Error::InactiveWorkflow),
        Submitted::Unchecked { .. } => return Err(Error::Overtaken),
    };
    let wait = prefer.wait_at_most(state.options.max_wait);
    let ended = match wait {
        Some(wait) => {
            let id = accepted
                .as_ref()
                .map_or_else(|known| known, |accepted| &accepted.id);
            wait_for_end(&state, id, wait).await
        }
        None => None,
    };
    let shown = prefer.shown();
    let body = match (accepted, ended) {
        // Whoever noticed the end has read all that this answer says: many who wait cost one statement, not one each.
        (_, Some(ended)) if shown == Return::Minimal => Body::ended(ended)?,
        (Ok(accepted), _) => {
            let fresh = Body::accepted(&accepted, workflow_id, input.text, shown)?;
            if wait.is_some() {
                reread(&state, &tenant, &accepted, fresh, shown).await
            } else {
                fresh
            }
        }
        (Err(known), _) => Body::load(&state.services.store, &tenant, &known, shown).await?,
    };
    answer(&body, wait.is_some(), prefer.applied(state.options.max_wait))
}

/// How often the workflow may be saved between the check of the input and the insert.
const ROUNDS: usize = 5;

/// Submits, and checks the input where the store says that it has to meet a schema. An input that does not is handed to
/// the store all the same, as unchecked: a producer that repeats what was accepted earlier gets its execution.
async fn submit_checked(
    state: &AppState,
    tenant: &Tenant,
    mut submit: Submit,
    input: &Map<String, Value>,
) -> Result<Submitted, Error> {
    let mut known = state.inputs.known_problems(&submit.workflow_id, input);
    for _ in 0..ROUNDS {
        submit.checked = known
            .as_ref()
            .filter(|(_, problems)| problems.is_empty())
            .map(|(revision, _)| *revision);
        let submitted = state
            .services
            .submitter
            .submit(tenant.clone(), submit.clone())
            .await
            .map_err(Error::from_submit)?;
        let Submitted::Unchecked { revision } = submitted else {
            return Ok(submitted);
        };
        match known {
            Some((checked, problems)) if checked == revision => return Err(Error::Invalid(problems)),
            _ => {}
        }
        let problems = state
            .inputs
            .problems(tenant, &submit.workflow_id, revision, input)
            .await?;
        known = Some((revision, problems));
    }
    Err(Error::Overtaken)
}

/// How the execution stands after the wait. It is accepted whatever happens here: a database that went away meanwhile
/// must not turn that into an error, which would invite a second submit.
async fn reread(state: &AppState, tenant: &Tenant, accepted: &Accepted, fresh: Body, shown: Return) -> Body {
    match Body::load(&state.services.store, tenant, &accepted.id, shown).await {
        Ok(body) => body,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(execution.id = %accepted.id, error, "an accepted execution could not be read back");
            fresh
        }
    }
}

fn answer(body: &Body, waited: bool, applied: Option<HeaderValue>) -> Result<Response, Error> {
    let status = if waited && body.has_ended() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let location = format!("/api/v1/ai-hub/executions/{}", body.id());
    let mut response = ([(LOCATION, location)], json(status, body)?).into_response();
    if let Some(applied) = applied {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}
