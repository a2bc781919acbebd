//! Ids: how the document describes them.

use utoipa::ToSchema;

/// An execution's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^wf_exec_[0-9A-Za-z]{1,92}$", example = "wf_exec_01a2025a1c8e70ba83d6b46f6b5e88f0")]
pub(crate) struct ExecutionId(String);

/// A workflow's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^wf_[0-9A-Za-z]{1,97}$", example = "wf_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct WorkflowId(String);

/// A template's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^tpl_[0-9A-Za-z]{1,96}$", example = "tpl_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct TemplateId(String);

/// A user's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^user_[0-9A-Za-z]{1,95}$", example = "user_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct UserId(String);

/// An API key's id, which is not the key.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^key_[0-9A-Za-z]{1,96}$", example = "key_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct ApiKeyId(String);

/// The id of an entry in the audit log.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^audit_[0-9A-Za-z]{1,94}$", example = "audit_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct AuditEntryId(String);
