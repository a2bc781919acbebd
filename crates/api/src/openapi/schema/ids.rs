//! Ids.

use utoipa::ToSchema;

/// An execution's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^wf_exec_[0-9A-Za-z]{1,92}$", example = "wf_exec_01a2025a1c8e70ba83d6b46f6b5e88f0")]
pub(crate) struct ExecutionId(String);

/// A workflow's id.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^wf_[0-9A-Za-z]{1,97}$", example = "wf_01a2025a1b0070ba83d6b46f6b5e88f0")]
pub(crate) struct WorkflowId(String);
