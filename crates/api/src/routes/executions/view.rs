//! An execution as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::{Definition, ExecutionId, ExecutionStatus, LogEntry, WorkflowId, logs};
use gristmill_store::{Accepted, Child, Ended, Execution, Store, Tenant};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::entries::read_first;
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
    /// While it waits: until when at the latest; null when only mail wakes it.
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

/// What is large, or has to be read for itself. A minimal answer has none of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionDetails)]
#[serde(rename_all = "camelCase")]
struct Details {
    /// When it fails as `timeout`, by `settings.timeoutMs`.
    deadline: Option<DateTime<Utc>>,
    parent: Option<Parent>,
    /// The first hundred.
    #[schema(required = false)]
    children: Vec<ChildView>,
    #[schema(required = false)]
    /// Whether there are more children than `children` has.
    children_truncated: bool,
    /// The execution whose input this one took over.
    #[schema(value_type = Option<schema::ExecutionId>)]
    replay_of: Option<ExecutionId>,
    /// The execution whose failure this one handles.
    #[schema(value_type = Option<schema::ExecutionId>)]
    on_failure_of: Option<ExecutionId>,
    /// How often an operator has retried it.
    #[schema(required = false)]
    operator_retries: i32,
    /// The producer's tags.
    #[schema(value_type = Vec<String>, required = false)]
    tags: Box<RawValue>,
    /// The producer's own object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
    #[schema(value_type = Object, required = false)]
    input: Box<RawValue>,
    #[schema(value_type = Option<Object>)]
    output: Option<Box<RawValue>>,
    #[schema(value_type = Vec<schema::LogEntry>, required = false)]
    logs: Vec<LogEntry>,
    #[schema(required = false)]
    /// Whether the journal goes on where `logs` ends.
    logs_truncated: bool,
}

/// What a producer sends along with a submit, as text.
pub(crate) struct Sent {
    pub(crate) input: String,
    pub(crate) tags: Option<String>,
    pub(crate) metadata: Option<String>,
}

/// The execution that waits for this one, and which of its node runs does.
#[derive(Serialize, ToSchema)]
struct Parent {
    #[schema(value_type = schema::ExecutionId)]
    id: ExecutionId,
    path: String,
}

/// An execution that this one waits for, and which of its node runs does.
#[derive(Serialize, ToSchema)]
#[schema(as = Child)]
#[serde(rename_all = "camelCase")]
struct ChildView {
    #[schema(value_type = schema::ExecutionId)]
    id: ExecutionId,
    #[schema(value_type = schema::WorkflowId)]
    workflow_id: WorkflowId,
    path: String,
    #[schema(value_type = schema::ExecutionStatus)]
    status: ExecutionStatus,
}

/// How many children are shown.
const CHILDREN: usize = 100;

/// How many journal entries `logs` is made from at the most, and how many bytes of them, but for the last commit.
const LOGGED: i32 = 1_000;
const LOGGED_BYTES: usize = 4 * 1024 * 1024;

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
        let execution = View {
            id: accepted.id.clone(),
            workflow_id,
            workflow_type: WORKFLOW_TYPE,
            revision: accepted.revision,
            status: if accepted.starts_at.is_some() || accepted.held {
                ExecutionStatus::Waiting
            } else {
                ExecutionStatus::Pending
            },
            attempt: 0,
            waits_for: match accepted.starts_at {
                Some(_) => Some("start".to_owned()),
                None => accepted.held.then(|| "paused".to_owned()),
            },
            wake_at: accepted.starts_at,
            details,
            error: None,
            nodes_executed: 0,
            tokens_used: 0,
            cost_micros: 0,
            cost: 0.0,
            duration: None,
            created_at: accepted.created_at,
            started_at: None,
            completed_at: None,
        };
        Ok(Self { execution })
    }

    /// The minimal answer about what has ended, without asking the database again.
    ///
    /// # Errors
    /// When the stored error is no JSON: a defect.
    pub(crate) fn ended(ended: Ended) -> Result<Self, Error> {
        let execution = View {
            id: ended.id,
            workflow_id: ended.workflow_id,
            workflow_type: WORKFLOW_TYPE,
            revision: ended.revision,
            status: ended.status,
            attempt: ended.attempt,
            waits_for: None,
            wake_at: None,
            details: None,
            error: ended.error.map(raw).transpose()?,
            nodes_executed: ended.nodes_executed,
            tokens_used: ended.tokens_used,
            cost_micros: ended.cost_micros,
            cost: dollars(ended.cost_micros),
            duration: duration(ended.started_at, ended.completed_at),
            created_at: ended.created_at,
            started_at: ended.started_at,
            completed_at: ended.completed_at,
        };
        Ok(Self { execution })
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
        let waits = found.status == ExecutionStatus::Waiting;
        let waits_for = found.waits_for.take();
        let wake_at = found.wake_at.filter(|_| waits);
        let execution = View {
            id: found.id,
            workflow_id: found.workflow_id,
            workflow_type: WORKFLOW_TYPE,
            revision: found.revision,
            status: found.status,
            attempt: found.attempt,
            waits_for: waits.then(|| waits_for.unwrap_or_else(|| "graph".to_owned())),
            wake_at,
            details,
            error: found.error.map(raw).transpose()?,
            nodes_executed: found.nodes_executed,
            tokens_used: found.tokens_used,
            cost_micros: found.cost_micros,
            cost: dollars(found.cost_micros),
            duration: duration(found.started_at, found.completed_at),
            created_at: found.created_at,
            started_at: found.started_at,
            completed_at: found.completed_at,
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

impl Details {
    /// Of an execution that nothing has happened to yet.
    fn fresh(sent: Sent) -> Result<Self, Error> {
        Ok(Self {
            deadline: None,
            parent: None,
            children: Vec::new(),
            children_truncated: false,
            replay_of: None,
            on_failure_of: None,
            operator_retries: 0,
            tags: tags(sent.tags)?,
            metadata: sent.metadata.map(raw).transpose()?,
            input: raw(sent.input)?,
            output: None,
            logs: Vec::new(),
            logs_truncated: false,
        })
    }

    /// Reads what stands elsewhere, and takes what `found` has of it.
    async fn load(store: &Store, tenant: &Tenant, found: &mut Execution) -> Result<Self, Error> {
        let (logs, logs_truncated) = load_logs(store, tenant, found).await?;
        let mut children = store.children(tenant, &found.id, CHILDREN as i64 + 1).await?;
        let children_truncated = children.len() > CHILDREN;
        children.truncate(CHILDREN);
        let parent_path = found.parent_path.take().unwrap_or_default();
        Ok(Self {
            deadline: found.deadline,
            parent: found.parent.take().map(|id| Parent {
                id,
                path: parent_path,
            }),
            children: children.into_iter().map(ChildView::from).collect(),
            children_truncated,
            replay_of: found.replay_of.take(),
            on_failure_of: found.on_failure_of.take(),
            operator_retries: found.operator_retries,
            tags: tags(found.tags.take())?,
            metadata: found.metadata.take().map(raw).transpose()?,
            input: raw(std::mem::take(&mut found.input))?,
            output: found.output.take().map(raw).transpose()?,
            logs,
            logs_truncated,
        })
    }
}

impl From<Child> for ChildView {
    fn from(child: Child) -> Self {
        Self {
            id: child.id,
            workflow_id: child.workflow_id,
            path: child.path,
            status: child.status,
        }
    }
}

async fn load_logs(
    store: &Store,
    tenant: &Tenant,
    execution: &Execution,
) -> Result<(Vec<LogEntry>, bool), Error> {
    let entries = read_first(store, tenant, &execution.id, LOGGED, LOGGED_BYTES).await?;
    if entries.is_empty() {
        return Ok((Vec::new(), false));
    }
    let revision = store
        .definition(tenant, &execution.workflow_id, execution.revision)
        .await?;
    let document = revision
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(Error::internal)?;
    // It was checked when it was stored; here only the labels are wanted.
    let definition = Definition::from_json(&document.unwrap_or_default(), &mut Vec::new());
    let truncated = execution.journal_len as usize > entries.len();
    Ok((
        logs(
            &definition.nodes,
            entries.into_iter().map(|numbered| numbered.entry),
        ),
        truncated,
    ))
}

fn tags(stored: Option<String>) -> Result<Box<RawValue>, Error> {
    raw(stored.unwrap_or_else(|| "[]".to_owned()))
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

/// A stored document is handed on as the text that it is.
pub(super) fn raw(text: String) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(text).map_err(Error::internal)
}
