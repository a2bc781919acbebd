//! Execution: which execution is run, and with what.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use gristmill_core::{ExecutionId, WorkflowId};
use minijinja::Value;
use serde_json::Map;

/// One execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub execution_id: ExecutionId,
    /// The workflow that it is a run of.
    pub workflow_id: WorkflowId,
    /// The revision that the plan was compiled from.
    pub revision: i32,
    /// The first claim, in database time: milliseconds since 1970.
    pub started_at: i64,
    /// Its input.
    pub input: Map<String, serde_json::Value>,
}

impl Run {
    /// What expressions see as `execution`: the same however often the execution is taken up again.
    pub(crate) fn facts(&self) -> Value {
        let started_at =
            DateTime::UNIX_EPOCH + TimeDelta::try_milliseconds(self.started_at).unwrap_or_default();
        Value::from_pairs([
            ("id", Value::from(self.execution_id.as_str())),
            ("workflowId", Value::from(self.workflow_id.as_str())),
            ("revision", Value::from(self.revision)),
            (
                "startedAt",
                Value::from(started_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            ),
        ])
    }
}
