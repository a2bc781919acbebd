//! Admission: what a request has to pass to become an execution, whoever makes it. Inputs have to meet a schema that may
//! change meanwhile.

use std::sync::Arc;

use gristmill_core::{ExecutionId, Problem, WorkflowId, boxed};
use gristmill_store::{Accepted, GroupError, Reached, Repeat, Store, Submit, Submitted, Tenant};

use super::request_hash::request_hash;
use super::{Check, Content, Plans, Reader, Submitter};
use crate::RelayWakeup;

/// How often a workflow may be saved between a look at it and what is done after that look, before whoever looks gives up.
pub const ROUNDS: usize = 5;

/// The one way in. What it admits is checked, recorded, counted against the month and on its way to the queue.
#[derive(Clone)]
pub struct Admission {
    pub(super) submitter: Submitter,
    pub(super) store: Store,
    pub(super) plans: Arc<Plans>,
    pub(super) relay: RelayWakeup,
}

/// A request for an execution.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Which workflow; of the tenant, or it is not found.
    pub workflow_id: &'a WorkflowId,
    /// What with.
    pub content: &'a Content<'a>,
    /// The producer's key against doubles.
    pub idempotency_key: Option<String>,
    /// What a repeat under that key is.
    pub repeat: Repeat,
    /// How many executions the organization may have in this month; `None` = as many as it likes.
    pub monthly_limit: Option<u32>,
}

/// A request that can be made, as often as it takes. Of its content it has the text: as trees of values many requests that
/// wait for one statement would take many times their size.
#[derive(Debug)]
pub struct Prepared {
    submit: Submit,
    /// What is wrong with the input by a revision's schema.
    known: Option<(i32, Vec<Problem>)>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Admitted {
    /// Recorded now: from here it is never lost.
    New(Accepted),
    /// Recorded earlier, under the same key.
    Known(ExecutionId),
    /// Not recorded, and why.
    Refused(Refusal),
}

/// Why nothing was recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The key was used for another request, whose execution this is.
    KeyReused(ExecutionId),
    /// The input does not meet the workflow's input schema.
    Invalid(Vec<Problem>),
    /// The workflow has an input schema, and a definition that this version refuses.
    InvalidDefinition(Arc<Vec<Problem>>),
    /// The tenant has no such workflow.
    UnknownWorkflow,
    /// The tenant has no such execution to replay.
    UnknownExecution,
    /// The workflow is switched off.
    InactiveWorkflow,
    /// The month's executions are used up.
    LimitReached(Reached),
    /// The workflow was saved again in each of the [`ROUNDS`].
    Overtaken,
}

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// What it has to be checked against could not be read: nothing was recorded.
    #[error("what the request is checked against cannot be read")]
    Read(#[source] gristmill_store::Error),
    /// The write failed. After a transient failure its outcome is unknown: only a repeat under the same key is safe.
    #[error("the request could not be recorded")]
    Write(#[source] GroupError),
}

/// Where a request is after a round.
enum Round {
    Over(Result<Admitted, AdmissionError>),
    /// It was checked against a revision that was not the newest any more, or against none.
    Again(Prepared),
}

impl Admission {
    /// Admits through `submitter`, checks by `plans`, and wakes `relay` for what the relay has to publish.
    pub fn new(submitter: Submitter, store: Store, plans: Arc<Plans>, relay: RelayWakeup) -> Self {
        Self {
            submitter,
            store,
            plans,
            relay,
        }
    }

    /// Makes a request ready, and checks its input by the newest revision that is known here.
    pub fn prepare(&self, tenant: &Tenant, request: Request<'_>) -> Prepared {
        let Request {
            workflow_id,
            content,
            idempotency_key,
            repeat,
            monthly_limit,
        } = request;
        let input = &content.input;
        Prepared {
            submit: Submit {
                id: ExecutionId::new(),
                workflow_id: workflow_id.clone(),
                input: input.text.clone(),
                idempotency_key,
                repeat,
                request_hash: request_hash(workflow_id, content),
                start: content.start,
                checked: None,
                tags: content.tags.clone(),
                metadata: content.metadata.as_ref().map(|metadata| metadata.text.clone()),
                monthly_limit,
            },
            known: self.plans.check_by_newest(tenant, workflow_id, &input.values),
        }
    }

    /// Admits one request.
    ///
    /// # Errors
    /// When the database fails.
    #[boxed]
    pub async fn admit(&self, tenant: &Tenant, request: Prepared) -> Result<Admitted, AdmissionError> {
        let answer = self.admit_all(tenant, vec![request]).await.pop();
        // There is one answer for each request.
        answer.unwrap_or(Err(AdmissionError::Write(GroupError::Stopped)))
    }

    /// Admits requests, in order, and answers each for itself. An input is checked where the store says that it has to meet a
    /// schema. One that does not is handed to the store all the same, as unchecked: a producer that repeats what was accepted
    /// earlier gets its execution.
    #[boxed]
    pub async fn admit_all(
        &self,
        tenant: &Tenant,
        requests: Vec<Prepared>,
    ) -> Vec<Result<Admitted, AdmissionError>> {
        let overtaken = |_| Ok(Admitted::Refused(Refusal::Overtaken));
        let mut answers: Vec<_> = requests.iter().map(overtaken).collect();
        let mut pending: Vec<_> = requests.into_iter().enumerate().collect();
        for _ in 0..ROUNDS {
            let submits = pending.iter().map(|(_, request)| request.submit()).collect();
            let submitted = self.submitter.submit_all(tenant, submits).await;
            let mut again = Vec::new();
            for ((place, request), submitted) in pending.into_iter().zip(submitted) {
                match self.judge(tenant, request, submitted).await {
                    Round::Over(answer) => answers[place] = answer,
                    Round::Again(request) => again.push((place, request)),
                }
            }
            if again.is_empty() {
                break;
            }
            pending = again;
        }
        answers
    }

    /// What the store's answer is to whoever asks.
    async fn judge(
        &self,
        tenant: &Tenant,
        mut request: Prepared,
        submitted: Result<Submitted, GroupError>,
    ) -> Round {
        let revision = match submitted {
            Ok(Submitted::Unchecked { revision }) => revision,
            Ok(Submitted::Accepted(accepted)) => return Round::Over(Ok(Admitted::New(accepted))),
            Ok(Submitted::Known(id)) => return Round::Over(Ok(Admitted::Known(id))),
            Ok(Submitted::KeyReused(id)) => return Round::refused(Refusal::KeyReused(id)),
            Ok(Submitted::UnknownWorkflow) => return Round::refused(Refusal::UnknownWorkflow),
            Ok(Submitted::InactiveWorkflow) => return Round::refused(Refusal::InactiveWorkflow),
            Ok(Submitted::LimitReached(reached)) => return Round::refused(Refusal::LimitReached(reached)),
            Err(error) => return Round::Over(Err(AdmissionError::Write(error))),
        };
        let problems = match request.known.take() {
            Some((checked, problems)) if checked == revision => {
                return Round::refused(Refusal::Invalid(problems));
            }
            _ => match self.check(tenant, &request.submit, revision).await {
                Ok(Check::Passed) => Vec::new(),
                Ok(Check::Failed(problems)) => problems,
                Ok(Check::InvalidDefinition(problems)) => {
                    return Round::refused(Refusal::InvalidDefinition(problems));
                }
                Ok(Check::UnknownRevision) => return Round::refused(Refusal::UnknownWorkflow),
                Err(error) => return Round::Over(Err(AdmissionError::Read(error))),
            },
        };
        request.known = Some((revision, problems));
        Round::Again(request)
    }

    async fn check(
        &self,
        tenant: &Tenant,
        submit: &Submit,
        revision: i32,
    ) -> Result<Check, gristmill_store::Error> {
        let reader = Reader::Tenant(tenant);
        self.plans
            .check(reader, &submit.workflow_id, revision, &submit.input)
            .await
    }
}

impl Prepared {
    fn submit(&self) -> Submit {
        let known = self.known.as_ref();
        Submit {
            checked: known
                .filter(|(_, problems)| problems.is_empty())
                .map(|(revision, _)| *revision),
            ..self.submit.clone()
        }
    }
}

impl Round {
    fn refused(refusal: Refusal) -> Self {
        Self::Over(Ok(Admitted::Refused(refusal)))
    }
}
