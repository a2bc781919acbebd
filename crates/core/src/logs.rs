//! The log that people read, made from the journal on demand: nothing is stored twice.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use crate::Node;
use crate::journal::{Entry, NodeError, Output, WaitsFor};

/// One line of an execution's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The node's id.
    pub node_id: String,
    /// The node run, where it is not the only one of its node: `<forEach>[3]/<node>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The node's label, or "Unnamed Node".
    pub node_name: String,
    /// `RUNNING`, `WAITING`, `COMPLETED`, `RETRYING`, `FAILED`, `SKIPPED`, `DISABLED` or `ABORTED`.
    pub status: &'static str,
    /// When it happened, by the database's clock.
    pub timestamp: DateTime<Utc>,
    /// What happened, for people.
    pub message: String,
    /// A completed node's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Output>,
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
        let at = entry.at();
        match entry {
            Entry::Started { path, .. } => {
                self.begin(&path, at);
                self.open.insert(path);
            }
            Entry::Waiting { path, until, on, .. } => {
                self.begin_unless_open(&path, at, 0);
                self.push(&path, "WAITING", at, waiting_for(&on, until));
                self.open.insert(path);
            }
            Entry::Expanded { path, items, .. } => {
                self.begin_unless_open(&path, at, 0);
                let message = format!("Running the body for {} items", items.len());
                self.push(&path, "RUNNING", at, message);
                self.open.insert(path);
            }
            Entry::Completed {
                path,
                duration_ms,
                output,
                ..
            } => {
                self.begin_unless_open(&path, at, duration_ms);
                let line = self.line(
                    &path,
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
                self.begin_unless_open(&path, at, duration_ms);
                let wait = retry_at.saturating_sub(at).max(0);
                let message = format!(
                    "Attempt {attempt} failed: {}; next attempt in {wait}ms",
                    error.message
                );
                let line = self.line(&path, "RETRYING", at, message);
                self.list.push(LogEntry {
                    error: Some(*error),
                    ..line
                });
            }
            Entry::Failed {
                path,
                duration_ms,
                error,
                ..
            } => {
                self.begin_unless_open(&path, at, duration_ms);
                let line = self.line(&path, "FAILED", at, format!("Node failed: {}", error.message));
                self.list.push(LogEntry {
                    error: Some(*error),
                    ..line
                });
            }
            Entry::Skipped { path, .. } => {
                self.push(
                    &path,
                    "SKIPPED",
                    at,
                    "Node skipped: no live edge leads to it".to_owned(),
                );
            }
            Entry::Disabled { path, .. } => {
                self.push(
                    &path,
                    "DISABLED",
                    at,
                    "Node is disabled: passed through".to_owned(),
                );
            }
            Entry::Aborted { path, reason, .. } => {
                self.open.remove(&path);
                self.push(&path, "ABORTED", at, format!("Node aborted: {reason}"));
            }
            // About no node: the nodes that run again say so themselves.
            Entry::Reopened { .. } => {}
        }
    }

    fn begin(&mut self, path: &str, at: i64) {
        let message = format!("Executing node: {}", self.name(node_of(path)));
        self.push(path, "RUNNING", at, message);
    }

    fn begin_unless_open(&mut self, path: &str, ended_at: i64, duration_ms: u64) {
        if !self.open.remove(path) {
            self.begin(path, ended_at.saturating_sub_unsigned(duration_ms));
        }
    }

    fn push(&mut self, path: &str, status: &'static str, at: i64, message: String) {
        let line = self.line(path, status, at, message);
        self.list.push(line);
    }

    fn line(&self, path: &str, status: &'static str, at: i64, message: String) -> LogEntry {
        let node_id = node_of(path);
        LogEntry {
            node_id: node_id.to_owned(),
            path: (node_id != path).then(|| path.to_owned()),
            node_name: self.name(node_id).to_owned(),
            status,
            timestamp: time(at),
            message,
            data: None,
            error: None,
        }
    }

    fn name(&self, node_id: &str) -> &str {
        self.names.get(node_id).copied().unwrap_or("Unnamed Node")
    }
}

fn node_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn time(at: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::try_milliseconds(at).unwrap_or_default()
}

fn waiting_for(on: &WaitsFor, until: Option<i64>) -> String {
    let what = match on {
        WaitsFor::Timer => String::new(),
        WaitsFor::Signal { name } => format!(" for the signal `{name}`"),
        WaitsFor::Child { execution_id } => format!(" for the execution {execution_id}"),
    };
    match until {
        Some(until) => {
            let until = time(until).to_rfc3339_opts(SecondsFormat::Millis, true);
            format!("Waiting{what} until {until}")
        }
        None => format!("Waiting{what}"),
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
                output: Output::default(),
                handle: None,
                usage: None,
                mail: None,
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
                error: NodeError::new("network", "connection refused").into(),
                then: crate::journal::AfterFailure::Fail,
                usage: None,
                mail: None,
            },
            Entry::Waiting {
                path: "each[0]/c".into(),
                at: 1_800,
                until: None,
                on: WaitsFor::Signal { name: "go".into() },
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
                "Executing node: Unnamed Node",
                "Waiting for the signal `go`",
            ]
        );
        assert_eq!(
            (lines[5].node_id.as_str(), lines[5].path.as_deref()),
            ("c", Some("each[0]/c"))
        );
        assert_eq!(lines[0].timestamp.timestamp_millis(), 1_000);
    }
}
