//! Replay: an earlier execution's input, admitted once more.

use gristmill_core::{ExecutionId, Problem, boxed};
use gristmill_store::{Actor, Execution, Replay, Replayed, Tenant};

use super::request_hash::replay_hash;
use super::{Admission, AdmissionError, Admitted, Check, ROUNDS, Reader, Refusal};

/// Which revision a replay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayedRevision {
    /// That of the earlier execution.
    Same,
    /// The workflow's newest one, whose input schema the input has to meet.
    Newest,
}

/// A request for an execution with the input of an earlier one, linked to it.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    /// The earlier one.
    pub original: ExecutionId,
    /// Which revision is run.
    pub revision: ReplayedRevision,
    /// The caller's key against doubles; a repeat has the same content.
    pub idempotency_key: Option<String>,
    /// How many executions the organization may have in this month; `None` = as many as it likes.
    pub monthly_limit: Option<u32>,
}

/// What the newest revision says of an input.
enum Newest {
    /// Which that is, and what is wrong with the input by its schema.
    Checked(i32, Vec<Problem>),
    Refused(Refusal),
}

impl Admission {
    /// Admits a replay.
    ///
    /// # Errors
    /// When the database fails.
    #[boxed]
    pub async fn replay(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        request: &ReplayRequest,
    ) -> Result<Admitted, AdmissionError> {
        let refused = |refusal| Ok(Admitted::Refused(refusal));
        for _ in 0..ROUNDS {
            let found = self.store.execution(tenant, &request.original).await;
            let Some(found) = found.map_err(AdmissionError::Read)? else {
                return refused(Refusal::UnknownExecution);
            };
            let (newest, problems) = match request.revision {
                ReplayedRevision::Same => (None, Vec::new()),
                ReplayedRevision::Newest => match self.check_by_newest(tenant, &found).await? {
                    Newest::Refused(refusal) => return refused(refusal),
                    Newest::Checked(newest, problems) if problems.is_empty() => (Some(newest), problems),
                    // No revision has this number, so that only a replay that is known by its key is answered.
                    Newest::Checked(_, problems) => (Some(0), problems),
                },
            };
            let replay = Replay {
                id: ExecutionId::new(),
                original: request.original.clone(),
                newest,
                idempotency_key: request.idempotency_key.clone(),
                request_hash: replay_hash(&request.original, request.revision),
                monthly_limit: request.monthly_limit,
            };
            let replayed = self.store.protocol().replay(tenant, actor, &replay).await;
            let admitted = match replayed.map_err(|error| AdmissionError::Write(error.into()))? {
                Replayed::Accepted(accepted) => Admitted::New(accepted),
                Replayed::Known(id) => Admitted::Known(id),
                Replayed::OtherRevision if problems.is_empty() => continue,
                Replayed::OtherRevision => return refused(Refusal::Invalid(problems)),
                Replayed::KeyReused(id) => return refused(Refusal::KeyReused(id)),
                Replayed::Unknown => return refused(Refusal::UnknownExecution),
                Replayed::LimitReached(reached) => return refused(Refusal::LimitReached(reached)),
                Replayed::DeletedWorkflow => return refused(Refusal::UnknownWorkflow),
                Replayed::InactiveWorkflow => return refused(Refusal::InactiveWorkflow),
            };
            self.relay.wake();
            return Ok(admitted);
        }
        refused(Refusal::Overtaken)
    }

    async fn check_by_newest(&self, tenant: &Tenant, original: &Execution) -> Result<Newest, AdmissionError> {
        let workflow = self.store.workflow(tenant, &original.workflow_id).await;
        let Some(workflow) = workflow.map_err(AdmissionError::Read)? else {
            return Ok(Newest::Refused(Refusal::UnknownWorkflow));
        };
        let (reader, revision) = (Reader::Tenant(tenant), workflow.revision);
        let check = self
            .plans
            .check(reader, &workflow.id, revision, &original.input)
            .await;
        Ok(match check.map_err(AdmissionError::Read)? {
            Check::Passed => Newest::Checked(revision, Vec::new()),
            Check::Failed(problems) => Newest::Checked(revision, problems),
            Check::InvalidDefinition(problems) => Newest::Refused(Refusal::InvalidDefinition(problems)),
            Check::UnknownRevision => Newest::Refused(Refusal::UnknownWorkflow),
        })
    }
}
