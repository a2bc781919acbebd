//! View: an execution as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, WaitReason, WorkflowId};
use gristmill_store::{Accepted, Ended, Store, Tenant};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::details::{Details, Sent};
use crate::http::answer::raw;
use crate::http::error::Error;
use crate::http::extract::Return;
use crate::http::openapi::schema;

/// The answer's envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionAnswer)]
pub(crate) struct Body {
    execution: View,
}

/// An execution.
#[derive(Serialize, ToSchema)]
#[schema(as = Execution)]
#[serde(rename_all = "camelCase")]
struct View {
    #[schema(value_type = schema::ExecutionId)]
    id: ExecutionId,
    #[schema(value_type = schema::WorkflowId)]
    workflow_id: WorkflowId,
    /// There is one type so far.
    workflow_type: &'static str,
    /// Which revision of the workflow it runs.
    revision: i32,
    #[schema(value_type = schema::ExecutionStatus)]
    status: ExecutionStatus,
    /// How often a worker has claimed it.
    attempt: i32,
    /// While it waits: `graph`, `start` (it was submitted for later), `paused` (its workflow is) or `worker` (workers were
    /// lost).
    #[schema(required)]
    waits_for: Option<String>,
    /// While it waits: until when at the latest; null when only a message wakes it.
    #[schema(required)]
    wake_at: Option<DateTime<Utc>>,
    /// Left out of a minimal answer.
    #[serde(flatten)]
    #[schema(value_type = Details)]
    details: Option<Details>,
    /// Why it failed.
    #[schema(required, value_type = Option<schema::ExecutionError>)]
    error: Option<Box<RawValue>>,
    /// How many node runs ended well.
    nodes_executed: i32,
    tokens_used: i64,
    /// Millionths of a dollar.
    cost_micros: i64,
    /// Dollars, for display; `cost_micros` is the amount.
    cost: f64,
    /// From the first claim to the end, in milliseconds.
    #[schema(required)]
    duration: Option<i64>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
}

/// How an execution stands, whoever says so.
struct Standing {
    id: ExecutionId,
    workflow_id: WorkflowId,
    revision: i32,
    status: ExecutionStatus,
    /// What it waits for, and until when at the latest.
    waits: Option<(String, Option<DateTime<Utc>>)>,
    created_at: DateTime<Utc>,
    course: Course,
}

/// What has become of an execution since it was recorded.
#[derive(Default)]
struct Course {
    attempt: i32,
    error: Option<String>,
    nodes_executed: i32,
    tokens_used: i64,
    cost_micros: i64,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
}

pub(super) const WORKFLOW_TYPE: &str = "automation";

impl Body {
    /// What has just been recorded, without asking the database again.
    ///
    /// # Errors
    /// When the input is no JSON: a defect.
    pub(crate) fn accepted(
        accepted: &Accepted,
        workflow_id: WorkflowId,
        sent: Sent,
        shown: Return,
    ) -> Result<Self, Error> {
        let details = match shown {
            Return::Minimal => None,
            Return::Representation => Some(Details::fresh(sent)?),
        };
        let waits_for = match accepted.starts_at {
            Some(_) => Some(WaitReason::Start),
            None => accepted.paused.then_some(WaitReason::Paused),
        };
        let standing = Standing {
            id: accepted.id.clone(),
            workflow_id,
            revision: accepted.revision,
            status: match waits_for {
                Some(_) => ExecutionStatus::Waiting,
                None => ExecutionStatus::Pending,
            },
            waits: waits_for.map(|reason| (reason.to_string(), accepted.starts_at)),
            created_at: accepted.created_at,
            course: Course::default(),
        };
        Self::new(standing, details)
    }

    /// The minimal answer about what has ended, without asking the database again.
    ///
    /// # Errors
    /// When the stored error is no JSON: a defect.
    pub(crate) fn ended(ended: Ended) -> Result<Self, Error> {
        let standing = Standing {
            id: ended.id,
            workflow_id: ended.workflow_id,
            revision: ended.revision,
            status: ended.status,
            waits: None,
            created_at: ended.created_at,
            course: Course {
                attempt: ended.attempt,
                error: ended.error,
                nodes_executed: ended.nodes_executed,
                tokens_used: ended.tokens_used,
                cost_micros: ended.cost_micros,
                started_at: ended.started_at,
                completed_at: ended.completed_at,
            },
        };
        Self::new(standing, None)
    }

    /// An execution of the tenant's, as it stands now.
    ///
    /// # Errors
    /// 404 when the tenant has none of this id, or the database's failure.
    pub(crate) async fn load(
        store: &Store,
        tenant: &Tenant,
        id: &ExecutionId,
        shown: Return,
    ) -> Result<Self, Error> {
        let mut found = store
            .execution(tenant, id)
            .await?
            .ok_or(Error::NotFound("execution"))?;
        let details = match shown {
            Return::Minimal => None,
            Return::Representation => Some(Details::load(store, tenant, &mut found).await?),
        };
        let waits = (found.status == ExecutionStatus::Waiting)
            .then(|| (what_it_waits_for(found.waits_for), found.wake_at));
        let standing = Standing {
            id: found.id,
            workflow_id: found.workflow_id,
            revision: found.revision,
            status: found.status,
            waits,
            created_at: found.created_at,
            course: Course {
                attempt: found.attempt,
                error: found.error,
                nodes_executed: found.nodes_executed,
                tokens_used: found.tokens_used,
                cost_micros: found.cost_micros,
                started_at: found.started_at,
                completed_at: found.completed_at,
            },
        };
        Self::new(standing, details)
    }

    fn new(standing: Standing, details: Option<Details>) -> Result<Self, Error> {
        let Standing { waits, course, .. } = standing;
        let (waits_for, wake_at) = waits.unzip();
        let execution = View {
            id: standing.id,
            workflow_id: standing.workflow_id,
            workflow_type: WORKFLOW_TYPE,
            revision: standing.revision,
            status: standing.status,
            attempt: course.attempt,
            waits_for,
            wake_at: wake_at.flatten(),
            details,
            error: course.error.map(raw).transpose()?,
            nodes_executed: course.nodes_executed,
            tokens_used: course.tokens_used,
            cost_micros: course.cost_micros,
            cost: dollars(course.cost_micros),
            duration: duration(course.started_at, course.completed_at),
            created_at: standing.created_at,
            started_at: course.started_at,
            completed_at: course.completed_at,
        };
        Ok(Self { execution })
    }

    /// Which execution this is.
    pub(crate) fn id(&self) -> &ExecutionId {
        &self.execution.id
    }

    /// Whether its status is terminal.
    pub(crate) fn has_ended(&self) -> bool {
        self.execution.status.is_terminal()
    }
}

pub(super) fn dollars(micros: i64) -> f64 {
    micros as f64 / 1_000_000.0
}

pub(super) fn duration(
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
) -> Option<i64> {
    let (end, start) = completed_at.zip(started_at)?;
    Some((end - start).num_milliseconds())
}

/// `waitsFor` of an execution that waits: what its graph waits for, unless there is another reason.
pub(super) fn what_it_waits_for(reason: Option<WaitReason>) -> String {
    reason.map_or_else(|| "graph".to_owned(), |reason| reason.to_string())
}
