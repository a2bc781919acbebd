//! `POST /workflows/{id}/executions:batch`

mod items;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, Problem, WorkflowId};
use gristmill_dispatch::{AdmissionError, Admitted, Content, Prepared, Request};
use gristmill_store::{Accepted, Repeat};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Batch, Document, Id, IdempotencyKey};
use crate::http::layers::RateShown;
use crate::http::openapi::schema;
use crate::http::problem;
use crate::state::AppState;
use items::Items;

/// How many problems of items are told; from then on, each item's first.
const MAX_TOLD: usize = 1_000;

/// Where an item's execution comes from.
enum Taken {
    /// Recorded now.
    New(Accepted),
    /// Recorded earlier, with the same key.
    Known(ExecutionId),
}

/// What became of each item, and how often.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchAnswer)]
struct Body<'a> {
    accepted: usize,
    known: usize,
    refused: usize,
    /// In the order of the inputs.
    items: Vec<ItemView<'a>>,
}

/// What became of an item.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchItem)]
#[serde(rename_all = "camelCase")]
struct ItemView<'a> {
    index: usize,
    /// `accepted`, `known` (the key was used before, with the same request), or the last part of the problem's type.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::ExecutionId, required = false)]
    execution_id: Option<&'a ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<problem::Document<'a>>,
}

/// Records an execution for each input, as many of the first as the month's limit has room for, and answers each: 202 when
/// all were taken, else 207. An item is no larger than the body of a submit. What is wrong with all of them in the same way is an error of the whole.
///
/// Under an `Idempotency-Key` each item has the key `<key>#<index>`.
#[utoipa::path(
    post,
    path = "/workflows/{id}/executions:batch",
    operation_id = "submitExecutions",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IdempotencyKey,
    ),
    request_body = schema::BatchRequest,
    responses(
        (status = 202, description = "All of them are recorded, or known by their keys.", body = Body<'static>),
        (status = 207, description = "Some are refused: each says why.", body = Body<'static>),
        (status = 409, description = "`inactive-workflow`: it is switched off."),
        (status = 503, description = "`too-many-batches`: as many bytes of batches are under way as may be."),
    )
)]
pub(crate) async fn execute_batch(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(workflow_id): Id<WorkflowId>,
    IdempotencyKey(key): IdempotencyKey,
    shown: RateShown,
    batch: Batch,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let items = Items::read(&batch.body)?;
    let texts = items.texts();
    // The request itself counted as the first.
    let more = u32::try_from(texts.len()).unwrap_or(u32::MAX).saturating_sub(1);
    shown.note(state.rates.check_more(&principal.caller(), more))?;

    let tenant = principal.tenant();
    let (mut places, mut requests) = (Vec::new(), Vec::new());
    let mut answers = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        // One item's tree of values at a time: what is submitted is text.
        let prepare = |content: &Content<'_>| {
            let request = Request {
                workflow_id: &workflow_id,
                content,
                idempotency_key: key.as_ref().map(|key| format!("{key}#{index}")),
                repeat: Repeat::SameContent,
                monthly_limit: principal.standing.limits().executions_per_month,
            };
            state.services.admission.prepare(&tenant, request)
        };
        match read(&items, text, state.options.max_body_bytes, prepare) {
            Ok(request) => {
                places.push(index);
                requests.push(request);
                answers.push(Err(Error::Overtaken));
            }
            Err(error) => answers.push(Err(error)),
        }
    }
    let admitted = state.services.admission.admit_all(&tenant, requests).await;
    for (place, answer) in places.into_iter().zip(admitted) {
        answers[place] = taken(answer);
    }
    let answers = refuse_whole(answers)?;
    log_failures(&answers);
    let body = Body::new(&answers);
    let status = if body.refused == 0 {
        StatusCode::ACCEPTED
    } else {
        StatusCode::MULTI_STATUS
    };
    json(status, &body)
}

impl<'a> Body<'a> {
    fn new(answers: &'a [Result<Taken, Error>]) -> Self {
        let mut told = 0;
        let items: Vec<_> = answers
            .iter()
            .enumerate()
            .map(|(index, answer)| {
                let (outcome, execution_id, problem) = match answer {
                    Ok(Taken::New(accepted)) => ("accepted", Some(&accepted.id), None),
                    Ok(Taken::Known(id)) => ("known", Some(id), None),
                    Err(error) => {
                        let problem = problem::part(error, (MAX_TOLD - told).max(1));
                        told = MAX_TOLD.min(told + problem.told());
                        (error.kind().0, None, Some(problem))
                    }
                };
                ItemView {
                    index,
                    outcome,
                    execution_id,
                    problem,
                }
            })
            .collect();
        let count = |outcome| items.iter().filter(|item| item.outcome == outcome).count();
        let (accepted, known) = (count("accepted"), count("known"));
        Self {
            accepted,
            known,
            refused: items.len() - accepted - known,
            items,
        }
    }
}

fn taken(answer: Result<Admitted, AdmissionError>) -> Result<Taken, Error> {
    match answer? {
        Admitted::New(accepted) => Ok(Taken::New(accepted)),
        Admitted::Known(id) => Ok(Taken::Known(id)),
        Admitted::Refused(refusal) => Err(refusal.into()),
    }
}

/// Reads one item, which may be as large as a body of `…/execute`, and hands on its content. The paths of its problems are
/// those within such a body.
fn read(
    items: &Items<'_>,
    text: &RawValue,
    limit: usize,
    prepare: impl Fn(&Content<'_>) -> Prepared,
) -> Result<Prepared, Error> {
    if text.get().len() > limit {
        return Err(Error::BodyTooLarge { limit });
    }
    match Document::parse(items.body(text).as_bytes()) {
        Ok(document) => body::read(Some(&document))
            .map(|content| prepare(&content))
            .map_err(Error::Invalid),
        Err(Error::Invalid(problems)) => Err(Error::Invalid(problems)),
        Err(error) => Err(Error::Invalid(vec![Problem::new(
            "$",
            "invalid",
            error.to_string(),
        )])),
    }
}

/// When nothing was taken, and for one reason that has nothing to do with single items, that is the answer to the whole.
fn refuse_whole(mut answers: Vec<Result<Taken, Error>>) -> Result<Vec<Result<Taken, Error>>, Error> {
    let kind_of = |answer: &Result<Taken, Error>| match answer {
        Err(error) if concerns_all(error) => Some(error.kind().0),
        _ => None,
    };
    let first = answers.first().and_then(kind_of);
    if first.is_some() && answers.iter().all(|answer| kind_of(answer) == first) {
        answers.swap_remove(0)?;
    }
    Ok(answers)
}

fn concerns_all(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound(_)
            | Error::InactiveWorkflow
            | Error::Unavailable(_)
            | Error::OutcomeUnknown(_)
            | Error::Internal(_)
    )
}

/// One line for all that went wrong on our side: the answer as a whole is none of the failures that get a line by themselves.
fn log_failures(answers: &[Result<Taken, Error>]) {
    let failures = || {
        let errors = answers.iter().filter_map(|answer| answer.as_ref().err());
        errors.filter(|error| error.status().is_server_error())
    };
    if let Some(first) = failures().next() {
        let error: &dyn std::error::Error = first;
        tracing::error!(failed = failures().count(), error, "a part of a batch failed");
    }
}
