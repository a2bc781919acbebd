//! The details of an execution: what is large, or has to be read for itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gristmill_core::{Definition, ExecutionId, ExecutionStatus, LogEntry, WorkflowId, logs};
use gristmill_store::{Child, Execution, Store, Tenant};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::entries::read_first;
use crate::http::answer::raw;
use crate::http::error::Error;
use crate::http::openapi::schema;

/// What is large, or has to be read for itself. A minimal answer has none of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionDetails)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
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
    pub(crate) input: Arc<str>,
    pub(crate) tags: Option<Arc<str>>,
    pub(crate) metadata: Option<Arc<str>>,
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

impl Details {
    /// Of an execution that nothing has happened to yet.
    pub(super) fn fresh(sent: Sent) -> Result<Self, Error> {
        Ok(Self {
            deadline: None,
            parent: None,
            children: Vec::new(),
            children_truncated: false,
            replay_of: None,
            on_failure_of: None,
            operator_retries: 0,
            tags: tags(sent.tags.as_deref().map(str::to_owned))?,
            metadata: sent.metadata.as_deref().map(str::to_owned).map(raw).transpose()?,
            input: raw(sent.input.as_ref().to_owned())?,
            output: None,
            logs: Vec::new(),
            logs_truncated: false,
        })
    }

    /// Reads what stands elsewhere, and takes what `found` has of it.
    pub(super) async fn load(store: &Store, tenant: &Tenant, found: &mut Execution) -> Result<Self, Error> {
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
