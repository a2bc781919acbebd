//! A workflow as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::WorkflowId;
use gristmill_store::Workflow;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;

/// The answer's envelope.
#[derive(Serialize)]
pub(crate) struct Body<'a> {
    workflow: View<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a WorkflowId,
    name: &'a str,
    description: Option<&'a str>,
    version: &'a str,
    tags: &'a RawValue,
    is_active: bool,
    revision: i32,
    #[serde(flatten)]
    definition: Definition<'a>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The stored definition: its parts are handed on as the text that they were sent as, positions and colours included.
#[derive(Serialize, Deserialize)]
struct Definition<'a> {
    #[serde(borrow)]
    nodes: &'a RawValue,
    #[serde(borrow)]
    edges: &'a RawValue,
    #[serde(borrow)]
    variables: &'a RawValue,
    #[serde(borrow)]
    settings: &'a RawValue,
}

impl<'a> Body<'a> {
    /// # Errors
    /// When what is stored is not what was stored: a defect.
    pub(crate) fn new(workflow: &'a Workflow) -> Result<Self, Error> {
        let view = View {
            id: &workflow.id,
            name: &workflow.name,
            description: workflow.description.as_deref(),
            version: &workflow.version,
            tags: serde_json::from_str(&workflow.tags).map_err(Error::internal)?,
            is_active: workflow.is_active,
            revision: workflow.revision,
            definition: serde_json::from_str(&workflow.definition).map_err(Error::internal)?,
            created_at: workflow.created_at,
            updated_at: workflow.updated_at,
        };
        Ok(Self { workflow: view })
    }
}
