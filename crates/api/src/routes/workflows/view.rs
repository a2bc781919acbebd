//! A workflow as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::WorkflowId;
use gristmill_store::Workflow;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error::Error;
use crate::openapi::schema;

/// The answer's envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowAnswer)]
pub(crate) struct Body<'a> {
    workflow: View<'a>,
}

/// A workflow, with its newest definition.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    #[schema(value_type = schema::WorkflowId)]
    id: &'a WorkflowId,
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    /// The user's label.
    version: &'a str,
    #[schema(value_type = Vec<String>)]
    tags: &'a RawValue,
    /// Whether it may be executed.
    is_active: bool,
    /// Counts the definitions that were saved, from 1.
    revision: i32,
    #[serde(flatten)]
    definition: Definition<'a>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The stored definition: its parts are handed on as the text that they were sent as, positions and colours included.
#[derive(Serialize, Deserialize, ToSchema)]
struct Definition<'a> {
    #[serde(borrow)]
    #[schema(value_type = Vec<schema::Node>)]
    nodes: &'a RawValue,
    #[serde(borrow)]
    #[schema(value_type = Vec<schema::Edge>)]
    edges: &'a RawValue,
    /// What expressions see as `vars`.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    variables: &'a RawValue,
    #[serde(borrow)]
    #[schema(value_type = schema::Settings)]
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
