//! Workflow: workflows as the API shows them.

use chrono::{DateTime, Utc};
use gristmill_core::WorkflowId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A stored workflow with its newest definition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The user's label.
    pub version: String,
    /// To find it by.
    pub tags: Vec<String>,
    /// Whether it may be executed.
    pub is_active: bool,
    /// Counts the definitions that were saved, from 1.
    pub revision: i32,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// `nodes`, `edges`, `variables`, `settings`, and what this version of the client does not know.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) workflow: Workflow,
}

/// A page of a list, as far as it is looked at.
#[derive(Deserialize)]
pub(crate) struct WorkflowPage {
    pub(crate) workflows: Vec<Named>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) id: WorkflowId,
    pub(crate) name: String,
}
