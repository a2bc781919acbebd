//! `POST /workflows/{id}/execute`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_dispatch::{Admitted, Request};
use gristmill_store::{Accepted, Repeat, Tenant};

use super::body;
use crate::auth::principal::Principal;
use crate::http::BASE;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Document, Id, IdempotencyKey, PREFERENCE_APPLIED, Prefer, Return};
use crate::http::openapi::schema;
use crate::routes::executions::details::Sent;
use crate::routes::executions::view::Body;
use crate::routes::wait::wait_for_end;
use crate::state::AppState;

/// Records an execution and answers with its id once that is committed; with `Prefer: wait`, once it has ended or the
/// wait is over, whichever comes first. With `Prefer: return=minimal` the answer says how it stands, and no more.
#[utoipa::path(
    post,
    path = "/workflows/{id}/execute",
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
        (status = 429, description = "`limit`: the month's executions are used up."),
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
    let tenant = principal.tenant();
    let (request, sent) = {
        let content = body::read(document.as_ref()).map_err(Error::Invalid)?;
        let sent = Sent {
            input: content.input.text.clone(),
            tags: content.tags.clone(),
            metadata: content.metadata.as_ref().map(|metadata| metadata.text.clone()),
        };
        let request = Request {
            workflow_id: &workflow_id,
            content: &content,
            idempotency_key: key,
            repeat: Repeat::SameContent,
            monthly_limit: principal.standing.limits().executions_per_month,
        };
        (state.services.admission.prepare(&tenant, request), sent)
    };
    // What follows may take long, and needs the texts only.
    drop(document);
    let (id, fresh) = match state.services.admission.admit(&tenant, request).await? {
        Admitted::New(accepted) => (accepted.id.clone(), Some(accepted)),
        Admitted::Known(id) => (id, None),
        Admitted::Refused(refusal) => return Err(refusal.into()),
    };
    let wait = prefer.wait_at_most(state.options.max_wait);
    let ended = match wait {
        Some(wait) => wait_for_end(&state, &id, wait).await,
        None => None,
    };
    let shown = prefer.shown();
    let body = match (fresh, ended) {
        // Whoever noticed the end has read all that this answer says: many who wait cost one statement, not one each.
        (_, Some(ended)) if shown == Return::Minimal => Body::ended(ended)?,
        (Some(accepted), _) => {
            let fresh = Body::accepted(&accepted, workflow_id, sent, shown)?;
            if wait.is_some() {
                reread(&state, &tenant, &accepted, fresh, shown).await
            } else {
                fresh
            }
        }
        (None, _) => Body::load(&state.services.store, &tenant, &id, shown).await?,
    };
    answer(&body, wait.is_some(), prefer.applied(state.options.max_wait))
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
    let location = format!("{BASE}/executions/{}", body.id());
    let mut response = ([(LOCATION, location)], json(status, body)?).into_response();
    if let Some(applied) = applied {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}
