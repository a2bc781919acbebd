//! The log that people read, made from the journal on demand: nothing is stored twice.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Node;
use crate::journal::{Entry, NodeError};

/// One line of an execution's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The node's id.
    pub node_id: String,
    /// The node's label, or "Unnamed Node".
    pub node_name: String,
    /// `RUNNING`, `COMPLETED`, `RETRYING`, `FAILED`, `SKIPPED`, `DISABLED` or `ABORTED`.
    pub status: &'static str,
    /// When it happened, by the database's clock.
    pub timestamp: DateTime<Utc>,
    /// What happened, for people.
    pub message: String,
    /// A completed node's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
    /// Why a node failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
}

/// The log lines of `entries`, in journal order; `nodes` gives the names.
///
/// A node that runs without I/O journals only its end; its "Executing node" line is made from when it began.
pub fn logs(nodes: &[Node], entries: impl IntoIterator<Item = Entry>) -> Vec<LogEntry> {
    let names: HashMap<&str, &str> = nodes
        .iter()
        .map(|node| (node.id.as_str(), node.label()))
        .collect();
    let mut lines = Lines {
        names,
        open: HashSet::new(),
        list: Vec::new(),
    };
    for entry in entries {
        lines.add(entry);
    }
    lines.list
}

struct Lines<'a> {
    names: HashMap<&'a str, &'a str>,
    /// Node runs whose "Executing node" line stands in the list already.
    open: HashSet<String>,
    list: Vec<LogEntry>,
}

impl Lines<'_> {
    fn add(&mut self, entry: Entry) {
        let node_id = entry.node_id().to_owned();
        let at = entry.at();
        match entry {
            Entry::Started { path, .. } => {
                self.begin(&node_id, at);
                self.open.insert(path);
            }
            Entry::Completed {
                path,
                duration_ms,
                output,
                ..
            } => {
                self.begin_unless_open(&path, &node_id, at, duration_ms);
                let line = self.line(
                    &node_id,
                    "COMPLETED",
                    at,
                    format!("Node completed in {duration_ms}ms"),
                );
                self.list.push(LogEntry {
                    data: Some(output),
                    ..line
                });
            }
            Entry::Retrying {
                path,
                duration_ms,
                attempt,
                error,
                retry_at,
                ..
            } => {
                self.begin_unless_open(&path, &node_id, at, duration_ms);
                let wait = retry_at.saturating_sub(at).max(0);
                let message = format!(
                    "Attempt {attempt} failed: {}; next attempt in {wait}ms",
                    error.message
                );
                let line = self.line(&node_id, "RETRYING", at, message);
                self.list.push(LogEntry {
                    error: Some(error),
                    ..line
                });
            }
            Entry::Failed {
                path,
                duration_ms,
                error,
                ..
            } => {
                self.begin_unless_open(&path, &node_id, at, duration_ms);
                let line = self.line(&node_id, "FAILED", at, format!("Node failed: {}", error.message));
                self.list.push(LogEntry {
                    error: Some(error),
                    ..line
                });
            }
            Entry::Skipped { .. } => {
                self.push(&node_id, "SKIPPED", at, "Node skipped: no live edge leads to it")
            }
            Entry::Disabled { .. } => self.push(&node_id, "DISABLED", at, "Node is disabled: passed through"),
            Entry::Aborted { path, reason, .. } => {
                self.open.remove(&path);
                self.push(&node_id, "ABORTED", at, &format!("Node aborted: {reason}"));
            }
        }
    }

    fn begin(&mut self, node_id: &str, at: i64) {
        let message = format!("Executing node: {}", self.name(node_id));
        self.push(node_id, "RUNNING", at, &message);
    }

    fn begin_unless_open(&mut self, path: &str, node_id: &str, ended_at: i64, duration_ms: u64) {
        if !self.open.remove(path) {
            self.begin(node_id, ended_at.saturating_sub_unsigned(duration_ms));
        }
    }

    fn push(&mut self, node_id: &str, status: &'static str, at: i64, message: &str) {
        let line = self.line(node_id, status, at, message.to_owned());
        self.list.push(line);
    }

    fn line(&self, node_id: &str, status: &'static str, at: i64, message: String) -> LogEntry {
        LogEntry {
            node_id: node_id.to_owned(),
            node_name: self.name(node_id).to_owned(),
            status,
            timestamp: DateTime::UNIX_EPOCH + TimeDelta::try_milliseconds(at).unwrap_or_default(),
            message,
            data: None,
            error: None,
        }
    }

    fn name(&self, node_id: &str) -> &str {
        self.names.get(node_id).copied().unwrap_or("Unnamed Node")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(id: &str, label: &str) -> Node {
        let data = json!({"label": label}).as_object().unwrap().clone();
        Node {
            index: 0,
            id: id.into(),
            kind: "transform".into(),
            parent_id: None,
            data,
        }
    }

    #[test]
    fn a_node_that_journals_only_its_end_still_shows_its_beginning() {
        let entries = vec![
            Entry::Completed {
                path: "a".into(),
                at: 1_500,
                duration_ms: 500,
                output: Map::new(),
                handle: None,
                usage: None,
            },
            Entry::Started {
                path: "b".into(),
                at: 1_600,
                attempt: 1,
            },
            Entry::Failed {
                path: "b".into(),
                at: 1_700,
                duration_ms: 100,
                attempts: 1,
                error: NodeError::new("network", "connection refused"),
                then: crate::journal::AfterFailure::Fail,
            },
        ];
        let lines = logs(&[node("a", "First"), node("b", "")], entries);
        let messages: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Executing node: First",
                "Node completed in 500ms",
                "Executing node: Unnamed Node",
                "Node failed: connection refused",
            ]
        );
        assert_eq!(lines[0].timestamp.timestamp_millis(), 1_000);
    }
}
