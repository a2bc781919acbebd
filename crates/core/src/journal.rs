//! The journal's entries: what happened inside an execution, in the order in which it was committed. Logs, checkpoints
//! and the picture are all read from it. Entries are only ever added, and no entry's meaning ever changes.
//!
//! They are stored in chunks, one chunk per commit, as a JSON array with the format version beside it.

mod output;
mod storable;
mod unknown;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ExecutionId;

pub use output::Output;
pub use storable::{MAX_DEPTH, NotKept, RESERVED_KEY, check_members, check_value};

/// The format version of the chunks that this version writes. Another one for entries that an older version could not read:
/// it leaves a format that it does not know to others. So it does with an entry of a type that it does not know; keys that
/// it does not know it passes over.
pub const FORMAT: i32 = 1;

/// Something that happened, nearly always to one node run. `path` names the run: the node's id, and inside a `forEach` the
/// way to it (`<forEach>[3]/<node>`). `at` is database time in milliseconds since 1970. `mail` is the number of the message that
/// this entry consumed; which message is consumed follows from the journal and from nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Entry {
    /// An effect's attempt is about to begin; committed before it does.
    Started {
        /// Which node run.
        path: String,
        /// When.
        at: i64,
        /// The first attempt is 1.
        attempt: u32,
    },
    /// The node run ended well: it is never run again.
    Completed {
        /// Which node run.
        path: String,
        /// When it ended.
        at: i64,
        /// How long the last attempt took.
        duration_ms: u64,
        /// The node's own output, before merging. Shared: whoever runs the execution goes on looking at it.
        output: Output,
        /// The branch that a condition chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// What a model call used. Boxed: most nodes call none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<Usage>>,
        /// The message that ended it: a signal, or the end of its child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mail: Option<i64>,
    },
    /// A `wait`, `signal` or `subWorkflow` has reached its wait; committed before the execution may suspend on it.
    Waiting {
        /// Which node run.
        path: String,
        /// When it got there.
        at: i64,
        /// When the wait is over, whatever else happens. `None` when only a message ends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
        /// What it waits for.
        on: WaitsFor,
    },
    /// A `forEach` has evaluated its items; its body runs once for each. Never evaluated again.
    Expanded {
        /// Which node run.
        path: String,
        /// When.
        at: i64,
        /// The items, in order.
        items: Arc<Vec<Value>>,
    },
    /// One attempt failed and another follows. An attempt that died with its worker leaves no such entry.
    Retrying {
        /// Which node run.
        path: String,
        /// When the attempt ended.
        at: i64,
        /// How long the attempt took.
        duration_ms: u64,
        /// Which attempt failed; the first is 1.
        attempt: u32,
        /// Why. Boxed: most entries are of nodes that completed, and there are many.
        error: Box<NodeError>,
        /// When the next attempt is due.
        retry_at: i64,
        /// What a model call of the attempt used all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<Usage>>,
        /// The message that told of the failure: the end of a child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mail: Option<i64>,
    },
    /// The node run failed for good.
    Failed {
        /// Which node run.
        path: String,
        /// When the last attempt ended.
        at: i64,
        /// How long the last attempt took.
        duration_ms: u64,
        /// How many attempts were made.
        attempts: u32,
        /// Why the last one failed.
        error: Box<NodeError>,
        /// What the failure means for the rest of the graph.
        then: AfterFailure,
        /// What a model call of the attempt used all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<Usage>>,
        /// The message that told of the failure: the end of a child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mail: Option<i64>,
    },
    /// None of the node's incoming edges was live.
    Skipped {
        /// Which node run.
        path: String,
        /// When.
        at: i64,
    },
    /// The node is switched off and let the execution pass through.
    Disabled {
        /// Which node run.
        path: String,
        /// When.
        at: i64,
    },
    /// An effect in flight was stopped because the execution failed, was drained or cancelled. It may run again.
    Aborted {
        /// Which node run.
        path: String,
        /// When.
        at: i64,
        /// Why, for people.
        reason: String,
        /// What a model call of the attempt used, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<Usage>>,
    },
    /// A failed execution goes on: what failed, was aborted or never started runs, what ended stays. Written in the
    /// transaction that takes the execution out of FAILED, or by the workflow's own `retry` instead of failing.
    Reopened {
        /// When.
        at: i64,
        /// When it goes on: the backoff of the workflow's own `retry`. `None` for an operator's retry: at once, and
        /// `timeoutMs` of the workflow counts anew from `at`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume_at: Option<i64>,
    },
}

/// What a node run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum WaitsFor {
    /// A time.
    Timer,
    /// A message called `signal:<name>`.
    Signal {
        /// The signal's name.
        name: String,
    },
    /// A message called `child:<execution id>`.
    Child {
        /// The child execution.
        execution_id: ExecutionId,
    },
}

/// What follows from a node run's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AfterFailure {
    /// The execution goes on along the node's `error` edges.
    Route,
    /// The execution goes on as if the node had completed: `onError: "continue"`.
    Continue,
    /// The execution fails.
    Fail,
}

/// Why a node run, or one attempt of it, failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeError {
    /// Stable, for programs: `template`, `timeout`, `http_status`, `network`, ….
    pub code: String,
    /// What happened, for people; never anything rendered from a secret.
    pub message: String,
    /// What else programs may want: a status code, a response body's beginning.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl NodeError {
    /// An error without details.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            details: Map::new(),
        }
    }
}

/// What a model call used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt and completion together.
    pub tokens: u64,
    /// Millionths of a dollar.
    pub cost_micros: u64,
    /// The model that answered, by its provider's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Entry {
    /// Which node run the entry is about; `None` when it is about the whole execution.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Reopened { .. } => None,
            Self::Started { path, .. }
            | Self::Completed { path, .. }
            | Self::Waiting { path, .. }
            | Self::Expanded { path, .. }
            | Self::Retrying { path, .. }
            | Self::Failed { path, .. }
            | Self::Skipped { path, .. }
            | Self::Disabled { path, .. }
            | Self::Aborted { path, .. } => Some(path),
        }
    }

    /// When it happened: database time, milliseconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            Self::Started { at, .. }
            | Self::Completed { at, .. }
            | Self::Waiting { at, .. }
            | Self::Expanded { at, .. }
            | Self::Reopened { at, .. }
            | Self::Retrying { at, .. }
            | Self::Failed { at, .. }
            | Self::Skipped { at, .. }
            | Self::Disabled { at, .. }
            | Self::Aborted { at, .. } => *at,
        }
    }

    /// Whether the execution is further than before. Beginning an attempt is none, nor is aborting one: an effect that kills
    /// its worker would otherwise look healthy for ever.
    pub fn is_progress(&self) -> bool {
        !matches!(self, Self::Started { .. } | Self::Aborted { .. })
    }

    /// The node that the entry is about: the last part of its path.
    pub fn node_id(&self) -> Option<&str> {
        let path = self.path()?;
        Some(path.rsplit('/').next().unwrap_or(path))
    }

    /// What a model call used, however the attempt ended.
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Completed { usage, .. }
            | Self::Retrying { usage, .. }
            | Self::Failed { usage, .. }
            | Self::Aborted { usage, .. } => usage.as_deref(),
            Self::Started { .. }
            | Self::Waiting { .. }
            | Self::Expanded { .. }
            | Self::Skipped { .. }
            | Self::Disabled { .. }
            | Self::Reopened { .. } => None,
        }
    }

    /// The number of the message that the entry consumed.
    pub fn mail(&self) -> Option<i64> {
        match self {
            Self::Completed { mail, .. } | Self::Retrying { mail, .. } | Self::Failed { mail, .. } => *mail,
            _ => None,
        }
    }
}

/// A chunk that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Written by a version of Gristmill that this one does not know.
    #[error("the journal chunk has format version {0}, and this version reads {FORMAT}")]
    Format(i32),
    /// It tells of something that this version does not know.
    #[error("the journal chunk holds {0}, which this version does not know")]
    Unknown(String),
    /// Not what a chunk looks like.
    #[error("the journal chunk cannot be read")]
    Malformed(#[from] serde_json::Error),
}

/// Reads one stored chunk.
///
/// # Errors
/// [`ReadError`] when the format version is unknown, or an entry's type, or the body is no array of entries.
pub fn read_chunk(format: i32, body: &str) -> Result<Vec<Entry>, ReadError> {
    if format != FORMAT {
        return Err(ReadError::Format(format));
    }
    serde_json::from_str(body).map_err(|cause| match unknown::unknown_in(body) {
        Some(what) => ReadError::Unknown(what),
        None => ReadError::Malformed(cause),
    })
}

/// Writes entries as one chunk's body.
///
/// # Errors
/// When an output holds what JSON cannot, which no output made from JSON does.
pub fn write_chunk(entries: &[Entry]) -> Result<String, serde_json::Error> {
    serde_json::to_string(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chunk_survives_storage() {
        let output = json!({"b": "\u{0}", "a": 1.5}).as_object().unwrap().clone();
        let entries = vec![
            Entry::Started {
                path: "a".into(),
                at: 1,
                attempt: 1,
            },
            Entry::Completed {
                path: "a".into(),
                at: 2,
                duration_ms: 1,
                output: output.into(),
                handle: None,
                usage: None,
                mail: None,
            },
        ];
        let body = write_chunk(&entries).unwrap();
        assert!(
            body.starts_with(r#"[{"type":"started","path":"a","at":1,"attempt":1},{"type":"completed""#),
            "{body}"
        );
        assert_eq!(read_chunk(FORMAT, &body).unwrap(), entries);
        assert!(matches!(read_chunk(FORMAT + 1, &body), Err(ReadError::Format(_))));
    }

    #[test]
    fn an_entry_knows_its_node() {
        for (path, node) in [("a", "a"), ("each[3]/b", "b"), ("each[3]/inner[0]/c", "c")] {
            assert_eq!(
                Entry::Skipped {
                    path: path.into(),
                    at: 0
                }
                .node_id(),
                Some(node)
            );
        }
    }

    #[test]
    fn what_earlier_versions_wrote_is_still_read() {
        let body = r#"[{"type":"completed","path":"a","at":2,"durationMs":1,"output":{}}]"#;
        assert_eq!(read_chunk(FORMAT, body).unwrap()[0].mail(), None);
        let body = r#"[{"type":"completed","path":"a","at":2,"durationMs":1,"output":{},"usage":{"tokens":3,"costMicros":4}},
            {"type":"aborted","path":"a","at":3,"reason":"drained"}]"#;
        let entries = read_chunk(FORMAT, body).unwrap();
        let usage = Usage {
            tokens: 3,
            cost_micros: 4,
            model: None,
        };
        assert_eq!(
            entries.iter().map(Entry::usage).collect::<Vec<_>>(),
            [Some(&usage), None]
        );
    }

    #[test]
    fn usage_stands_on_attempts_that_failed_as_well() {
        let usage = Some(Box::new(Usage {
            tokens: 3,
            cost_micros: 4,
            model: Some("grinder-1".to_owned()),
        }));
        let (path, error) = ("a".to_owned(), Box::new(NodeError::new("busy", "no")));
        let entries = [
            Entry::Retrying {
                path: path.clone(),
                at: 1,
                duration_ms: 1,
                attempt: 1,
                error: error.clone(),
                retry_at: 2,
                usage: usage.clone(),
                mail: None,
            },
            Entry::Failed {
                path: path.clone(),
                at: 2,
                duration_ms: 1,
                attempts: 2,
                error,
                then: AfterFailure::Fail,
                usage: usage.clone(),
                mail: None,
            },
            Entry::Aborted {
                path,
                at: 3,
                reason: "drained".to_owned(),
                usage: usage.clone(),
            },
        ];
        let body = write_chunk(&entries).unwrap();
        let text = r#""usage":{"tokens":3,"costMicros":4,"model":"grinder-1"}"#;
        assert_eq!(body.matches(text).count(), 3, "{body}");
        assert_eq!(read_chunk(FORMAT, &body).unwrap(), entries);
    }

    #[test]
    fn what_a_newer_version_may_have_written_is_told_from_what_nobody_can_read() {
        for (body, what) in [
            (
                r#"[{"type":"skipped","path":"a","at":1},{"type":"opened","path":"a"}]"#,
                "an entry `opened`",
            ),
            (
                r#"[{"type":"waiting","path":"a","at":1,"on":{"type":"admission"}}]"#,
                "a wait for `admission`",
            ),
            (
                r#"[{"type":"failed","path":"a","at":1,"durationMs":1,"attempts":1,"error":{"code":"a","message":"b"},"then":"pause"}]"#,
                "a failure with `pause`",
            ),
        ] {
            assert!(matches!(read_chunk(FORMAT, body), Err(ReadError::Unknown(found)) if found == what));
        }
        for body in ["[", "{}", "[1]", r#"[{"type":"completed"}]"#, r#"[{"path":"a"}]"#] {
            assert!(matches!(read_chunk(FORMAT, body), Err(ReadError::Malformed(_))));
        }
        // A key that says more about what is known changes nothing of that.
        let body = r#"[{"type":"started","path":"a","at":1,"attempt":1,"via":"elsewhere"}]"#;
        assert_eq!(read_chunk(FORMAT, body).unwrap().len(), 1);
    }

    #[test]
    fn waits_say_what_they_wait_for() {
        let child: ExecutionId = "wf_exec_7".parse().unwrap();
        let entry = Entry::Waiting {
            path: "sub".into(),
            at: 1,
            until: None,
            on: WaitsFor::Child { execution_id: child },
        };
        let body = write_chunk(std::slice::from_ref(&entry)).unwrap();
        assert_eq!(
            body,
            r#"[{"type":"waiting","path":"sub","at":1,"on":{"type":"child","executionId":"wf_exec_7"}}]"#
        );
        assert_eq!(read_chunk(FORMAT, &body).unwrap(), [entry]);
    }
}
