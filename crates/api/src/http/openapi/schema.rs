//! Shapes that only the document knows: bodies that handlers read key by key, documents that are handed on as the text that
//! they are, and words of `core`, which knows no HTTP. The tests hold every answer against them.

#![allow(dead_code, reason = "shapes, never values")]

mod bulk;
mod execution;
mod fault;
mod ids;
mod journal;
mod key;
mod template;
mod workflow;

pub(crate) use bulk::BulkRequest;
pub(crate) use execution::{
    BatchRequest, ExecutionError, ExecutionStatus, LogEntry, NodeError, ReplayRequest, SubmitRequest,
};
pub(crate) use fault::Fault;
pub(crate) use ids::{ApiKeyId, AuditEntryId, ExecutionId, TemplateId, UserId, WorkflowId};
pub(crate) use journal::JournalEntry;
pub(crate) use key::CreateKeyRequest;
pub(crate) use template::{InstantiateRequest, PublishRequest};
pub(crate) use workflow::{CreateWorkflowRequest, Edge, Node, Settings, WorkflowDraft};
