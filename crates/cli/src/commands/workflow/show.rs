//! Show: a workflow for people.

use std::fmt::Write;

use serde_json::Value;

use crate::printable::line;

/// One line: which workflow, what it is called, and which of its revisions is the newest.
pub fn summary(workflow: &Value) -> String {
    format!(
        "{}  {}  revision {}\n",
        text(&workflow["id"]),
        text(&workflow["name"]),
        workflow["revision"]
    )
}

/// What people look for, one fact a line, then the nodes with where they lead.
pub(super) fn table(workflow: &Value) -> String {
    let active = workflow["isActive"] == true;
    let mut facts = vec![
        ("workflow", text(&workflow["id"])),
        ("name", text(&workflow["name"])),
        ("active", if active { "yes" } else { "no" }.to_owned()),
        (
            "revision",
            format!("{}, version {}", workflow["revision"], text(&workflow["version"])),
        ),
        ("created", text(&workflow["createdAt"])),
        ("updated", text(&workflow["updatedAt"])),
    ];
    if let Some(description) = workflow["description"].as_str() {
        facts.insert(2, ("about", line(description).into_owned()));
    }
    let tags: Vec<_> = list(&workflow["tags"]).iter().map(text).collect();
    if !tags.is_empty() {
        facts.push(("tags", tags.join(", ")));
    }
    let settings = workflow["settings"].as_object();
    if settings.is_some_and(|settings| !settings.is_empty()) {
        facts.push(("settings", workflow["settings"].to_string()));
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut page = String::new();
    for (name, fact) in facts {
        // Writing into a String cannot fail.
        writeln!(page, "{name:<width$}  {fact}").ok();
    }
    page.push('\n');
    let nodes = list(&workflow["nodes"]);
    let lengths = |key: &str| {
        let lengths = nodes.iter().map(|node| text(&node[key]).chars().count());
        lengths.max().unwrap_or_default()
    };
    let (ids, kinds) = (lengths("id"), lengths("type"));
    for node in nodes {
        let (id, kind) = (text(&node["id"]), text(&node["type"]));
        let targets = targets(workflow, &node["id"]);
        let row = format!("{id:<ids$}  {kind:<kinds$}  {targets}");
        writeln!(page, "{}", row.trim_end()).ok();
    }
    page
}

/// Where a node leads, and by which handle.
fn targets(workflow: &Value, id: &Value) -> String {
    let edges = list(&workflow["edges"])
        .iter()
        .filter(|edge| edge["source"] == *id);
    let targets: Vec<_> = edges
        .map(|edge| match edge["sourceHandle"].as_str() {
            Some(handle) => format!("{}: {}", line(handle), text(&edge["target"])),
            None => text(&edge["target"]),
        })
        .collect();
    if targets.is_empty() {
        return String::new();
    }
    format!("→ {}", targets.join(", "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_shows_the_graph() {
        let workflow = json!({
            "id": "wf_1", "name": "Hello", "description": null, "isActive": true, "revision": 2, "version": "1.0.0",
            "tags": ["a", "b"], "settings": {}, "createdAt": "2030-01-01T00:00:00Z", "updatedAt": "2030-01-02T00:00:00Z",
            "nodes": [{"id": "start", "type": "trigger"}, {"id": "big", "type": "condition"}, {"id": "x", "type": "wait"}],
            "edges": [{"source": "start", "target": "big"}, {"source": "big", "target": "x", "sourceHandle": "true"}],
        });
        let expected = "\
workflow  wf_1
name      Hello
active    yes
revision  2, version 1.0.0
created   2030-01-01T00:00:00Z
updated   2030-01-02T00:00:00Z
tags      a, b

start  trigger    → big
big    condition  → true: x
x      wait
";
        assert_eq!(table(&workflow), expected);
        assert_eq!(summary(&workflow), "wf_1  Hello  revision 2\n");
    }
}
