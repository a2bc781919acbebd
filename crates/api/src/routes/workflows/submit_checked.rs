//! Submitting inputs that have to meet a schema which may change meanwhile.

use gristmill_core::{ExecutionId, Problem, WorkflowId};
use gristmill_store::{Accepted, Submit, Submitted, Tenant};
use serde_json::{Map, Value};

use super::request_hash::request_hash;
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::routes::submit::body::Input;
use crate::state::AppState;

/// What stands behind a submit.
pub(crate) enum Taken {
    /// Recorded now.
    New(Accepted),
    /// Recorded earlier, with the same key.
    Known(ExecutionId),
}

/// How often the workflow may be saved between the check of the input and the insert.
const ROUNDS: usize = 5;

/// A submit that can be made. Of the input it has the text: as a tree of values it would take many times its size.
pub(crate) struct Request {
    submit: Submit,
    /// What is wrong with the input by a revision's schema.
    known: Option<(i32, Vec<Problem>)>,
}

impl Request {
    /// A submit of an input under an idempotency key.
    pub(crate) fn new(
        state: &AppState,
        principal: &Principal,
        workflow_id: &WorkflowId,
        input: &Input,
        idempotency_key: Option<String>,
    ) -> Self {
        let monthly_limit = principal.standing.limits().executions_per_month;
        Self {
            submit: submit(workflow_id, input, idempotency_key, monthly_limit),
            known: state.inputs.known_problems(workflow_id, &input.values),
        }
    }
}

/// A submit that is not answered yet, and its place among the others.
struct Pending {
    place: usize,
    request: Request,
}

/// Submits inputs, in order, and checks each where the store says that it has to meet a schema.
/// One that does not is handed to the store all the same, as unchecked: a producer that repeats what was accepted earlier
/// gets its execution.
pub(crate) async fn submit_checked(
    state: &AppState,
    principal: &Principal,
    requests: Vec<Request>,
) -> Vec<Result<Taken, Error>> {
    let tenant = principal.tenant();
    let mut pending: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(place, request)| Pending { place, request })
        .collect();
    let mut answers: Vec<_> = pending.iter().map(|_| Err(Error::Overtaken)).collect();
    for _ in 0..ROUNDS {
        for Pending { request, .. } in &mut pending {
            request.submit.checked = request
                .known
                .as_ref()
                .filter(|(_, problems)| problems.is_empty())
                .map(|(revision, _)| *revision);
        }
        let submits = pending
            .iter()
            .map(|member| member.request.submit.clone())
            .collect();
        let submitted = state.services.submitter.submit_all(&tenant, submits).await;
        let mut unchecked = Vec::new();
        for (mut member, submitted) in pending.into_iter().zip(submitted) {
            let place = member.place;
            let revision = match submitted.map_err(Error::from_submit).map(taken) {
                Ok(Ok(answer)) => {
                    answers[place] = answer;
                    continue;
                }
                Err(error) => {
                    answers[place] = Err(error);
                    continue;
                }
                Ok(Err(revision)) => revision,
            };
            match member.request.known.take() {
                Some((checked, problems)) if checked == revision => {
                    answers[place] = Err(Error::Invalid(problems));
                    continue;
                }
                _ => {}
            }
            match check(state, &tenant, &member.request.submit, revision).await {
                Ok(problems) => {
                    member.request.known = Some((revision, problems));
                    unchecked.push(member);
                }
                Err(error) => answers[place] = Err(error),
            }
        }
        if unchecked.is_empty() {
            break;
        }
        pending = unchecked;
    }
    answers
}

/// What is wrong with an input by a revision's schema.
async fn check(
    state: &AppState,
    tenant: &Tenant,
    submit: &Submit,
    revision: i32,
) -> Result<Vec<Problem>, Error> {
    let values: Map<String, Value> = serde_json::from_str(&submit.input).map_err(Error::internal)?;
    state
        .inputs
        .problems(tenant, &submit.workflow_id, revision, &values)
        .await
}

fn submit(
    workflow_id: &WorkflowId,
    input: &Input,
    idempotency_key: Option<String>,
    monthly_limit: Option<u32>,
) -> Submit {
    Submit {
        id: ExecutionId::new(),
        request_hash: request_hash(workflow_id, input),
        workflow_id: workflow_id.clone(),
        input: input.text.clone(),
        idempotency_key,
        start: input.start,
        checked: None,
        tags: input.tags.clone(),
        metadata: input.metadata.as_ref().map(|metadata| metadata.text.clone()),
        monthly_limit,
    }
}

/// What the store's answer is to the producer; or the revision whose schema the input has to be checked against.
fn taken(submitted: Submitted) -> Result<Result<Taken, Error>, i32> {
    Ok(match submitted {
        Submitted::Accepted(accepted) => Ok(Taken::New(accepted)),
        Submitted::Known(id) => Ok(Taken::Known(id)),
        Submitted::KeyReused(id) => Err(Error::KeyReused(id)),
        Submitted::UnknownWorkflow => Err(Error::NotFound("workflow")),
        Submitted::InactiveWorkflow => Err(Error::InactiveWorkflow),
        Submitted::LimitReached(reached) => Err(Error::month_used_up(reached)),
        Submitted::Unchecked { revision } => return Err(revision),
    })
}
