//! Show: an execution for people.

use std::fmt::Write;

use serde_json::Value;

use crate::printable::line;

/// How much of a document is shown, in characters.
const SHOWN: usize = 2_000;

/// One line: which execution, and how it stands.
pub(super) fn summary(execution: &Value) -> String {
    format!("{}  {}\n", text(&execution["id"]), status(execution))
}

/// Everything that people look for, one fact a line, then the children and the log.
pub(super) fn table(execution: &Value) -> String {
    let mut facts = vec![
        ("execution", text(&execution["id"])),
        (
            "workflow",
            format!(
                "{}, revision {}",
                text(&execution["workflowId"]),
                execution["revision"]
            ),
        ),
        ("status", status(execution)),
    ];
    for (name, key) in [
        ("created", "createdAt"),
        ("started", "startedAt"),
        ("deadline", "deadline"),
        ("ended", "completedAt"),
        ("replay of", "replayOf"),
        ("handles", "onFailureOf"),
    ] {
        if !execution[key].is_null() {
            facts.push((name, text(&execution[key])));
        }
    }
    if let Value::Object(parent) = &execution["parent"] {
        facts.push((
            "child of",
            format!("{}, for {}", text(&parent["id"]), text(&parent["path"])),
        ));
    }
    facts.push(("claims", execution["attempt"].to_string()));
    facts.push(("nodes run", execution["nodesExecuted"].to_string()));
    for key in ["input", "output", "error"] {
        if !execution[key].is_null() {
            facts.push((key, shortened(&execution[key].to_string())));
        }
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut page = String::new();
    for (name, fact) in facts {
        // Writing into a String cannot fail.
        writeln!(page, "{name:<width$}  {fact}").ok();
    }
    for child in list(&execution["children"]) {
        let (id, path, status) = (text(&child["id"]), text(&child["path"]), text(&child["status"]));
        writeln!(page, "{:<width$}  {id}  {status}  for {path}", "child").ok();
    }
    let logs = list(&execution["logs"]);
    if !logs.is_empty() {
        page.push('\n');
    }
    for entry in logs {
        let (at, status) = (text(&entry["timestamp"]), text(&entry["status"]));
        let (node, message) = (text(&entry["nodeId"]), text(&entry["message"]));
        writeln!(page, "{at}  {status:<9}  {node}  {message}").ok();
    }
    page
}

/// The status, with what it waits for.
fn status(execution: &Value) -> String {
    let status = text(&execution["status"]);
    let Some(waits_for) = execution["waitsFor"].as_str() else {
        return status;
    };
    let what = match waits_for {
        "start" => "for its start",
        "paused" => return format!("{status} for its workflow to be resumed"),
        "worker" => "after losing workers",
        _ => "for what its graph waits for",
    };
    match execution["wakeAt"].as_str() {
        Some(until) => format!("{status} {what}, until {until}"),
        None => format!("{status} {what}, until it is signalled or a child ends"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => line(text).into_owned(),
        other => other.to_string(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_has_what_there_is_and_nothing_else() {
        let execution = json!({
            "id": "wf_exec_1", "workflowId": "wf_1", "revision": 2, "status": "WAITING", "waitsFor": "graph",
            "wakeAt": null, "attempt": 1, "nodesExecuted": 3, "input": {"n": 1}, "output": null, "error": null,
            "createdAt": "2030-01-01T00:00:00Z", "parent": {"id": "wf_exec_0", "path": "sub"},
            "children": [{"id": "wf_exec_2", "path": "each[0]/sub", "status": "RUNNING"}],
            "logs": [{"timestamp": "T", "status": "COMPLETED", "nodeId": "a", "message": "done"}],
        });
        let expected = "\
execution  wf_exec_1
workflow   wf_1, revision 2
status     WAITING for what its graph waits for, until it is signalled or a child ends
created    2030-01-01T00:00:00Z
child of   wf_exec_0, for sub
claims     1
nodes run  3
input      {\"n\":1}
child      wf_exec_2  RUNNING  for each[0]/sub

T  COMPLETED  a  done
";
        assert_eq!(table(&execution), expected);
    }
}
