//! A definition's reader: takes its parts out of JSON, and names whatever is wrong with their shape.

use serde_json::{Map, Value};

use super::{Definition, Edge, KeptDays, Node, Settings};
use crate::{Path, Problem, WorkflowId};

/// The keys of `settings`.
const SETTINGS: &str = "lane, maxParallel, timeoutMs, retry, onFailure, retention";

/// The longest that a workflow may have its executions kept: a hundred years.
const MAX_DAYS: u64 = 36_500;

/// The longest node id, in bytes.
const MAX_ID_LEN: usize = 200;

impl Definition {
    /// Reads `nodes`, `edges`, `variables` and `settings` of a JSON object; other keys are not looked at. Adds whatever
    /// is wrong with their shape to `problems`; what the parts mean together is the engine's to judge.
    pub fn from_json(document: &Map<String, Value>, problems: &mut Vec<Problem>) -> Self {
        let root = Path::root();
        let nodes = read_list(document, "nodes", problems, read_node);
        let edges = read_list(document, "edges", problems, read_edge);
        let variables = match document.get("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables.clone(),
            Some(other) => {
                problems.push(Problem::wrong_type(&root.key("variables"), "an object", other));
                Map::new()
            }
        };
        let settings = match document.get("settings") {
            None | Some(Value::Null) => Settings::default(),
            Some(Value::Object(settings)) => read_settings(settings, problems),
            Some(other) => {
                problems.push(Problem::wrong_type(&root.key("settings"), "an object", other));
                Settings::default()
            }
        };
        Self {
            nodes,
            edges,
            variables,
            settings,
        }
    }
}

/// Where something stands, written down only where something is wrong with it: there are thousands of these.
type Place<'a> = &'a dyn Fn() -> Path;

fn read_list<T>(
    document: &Map<String, Value>,
    key: &str,
    problems: &mut Vec<Problem>,
    read: impl Fn(usize, Place<'_>, &Map<String, Value>, &mut Vec<Problem>) -> Option<T>,
) -> Vec<T> {
    let path = Path::root().key(key);
    let items = match document.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            problems.push(Problem::wrong_type(&path, "an array", other));
            return Vec::new();
        }
    };
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = || path.index(index);
        match item {
            Value::Object(object) => list.extend(read(index, &path, object, problems)),
            other => problems.push(Problem::wrong_type(&path(), "an object", other)),
        }
    }
    list
}

fn read_node(
    index: usize,
    path: Place<'_>,
    object: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let id = required_text(object, "id", path, problems);
    let kind = required_text(object, "type", path, problems);
    let parent_id = optional_text(object, "parentId", path, problems);
    let data = match object.get("data") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(data)) => data.clone(),
        Some(other) => {
            problems.push(Problem::wrong_type(&path().key("data"), "an object", other));
            Map::new()
        }
    };
    let id = id?;
    if id.len() > MAX_ID_LEN || id.contains(['/', '[', ']', '#']) || id.contains(char::is_control) {
        let message =
            format!("a node id has at most {MAX_ID_LEN} bytes and none of / [ ] # or control characters");
        problems.push(Problem::new(path().key("id"), "invalid_id", message));
    }
    Some(Node {
        index,
        id,
        kind: kind?,
        parent_id,
        data,
    })
}

fn read_edge(
    index: usize,
    path: Place<'_>,
    object: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<Edge> {
    let source = required_text(object, "source", path, problems);
    let target = required_text(object, "target", path, problems);
    let source_handle = optional_text(object, "sourceHandle", path, problems);
    Some(Edge {
        index,
        source: source?,
        target: target?,
        source_handle,
    })
}

fn required_text(
    object: &Map<String, Value>,
    key: &str,
    path: Place<'_>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    match object.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::String(_)) => {
            problems.push(Problem::new(
                path().key(key),
                "empty",
                format!("`{key}` must not be empty"),
            ));
            None
        }
        Some(other) => {
            problems.push(Problem::wrong_type(&path().key(key), "a string", other));
            None
        }
        None => {
            problems.push(Problem::new(
                path().key(key),
                "missing",
                format!("`{key}` is required"),
            ));
            None
        }
    }
}

fn optional_text(
    object: &Map<String, Value>,
    key: &str,
    path: Place<'_>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    match object.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => {
            problems.push(Problem::wrong_type(&path().key(key), "a string", other));
            None
        }
    }
}

fn read_settings(object: &Map<String, Value>, problems: &mut Vec<Problem>) -> Settings {
    let path = Path::root().key("settings");
    let mut settings = Settings::default();
    for (key, value) in object {
        let path = path.key(key);
        match key.as_str() {
            "lane" => {
                settings.lane = optional_text(object, "lane", &|| Path::root().key("settings"), problems)
            }
            "maxParallel" => {
                settings.max_parallel = positive(value, &path, problems).and_then(|n| u32::try_from(n).ok());
            }
            "timeoutMs" => settings.timeout_ms = positive(value, &path, problems),
            "retry" => match value {
                Value::Null => {}
                Value::Object(retry) => settings.retry = Some(retry.clone()),
                other => problems.push(Problem::wrong_type(&path, "an object", other)),
            },
            "onFailure" => settings.on_failure = workflow_id(object, problems),
            "retention" => settings.retention = read_retention(value, &path, problems),
            _ => problems.push(Problem::new(
                &path,
                "unknown_key",
                format!("unknown setting `{key}`; the settings are {SETTINGS}"),
            )),
        }
    }
    settings
}

fn read_retention(value: &Value, path: &Path, problems: &mut Vec<Problem>) -> KeptDays {
    let mut kept = KeptDays::default();
    let object = match value {
        Value::Null => return kept,
        Value::Object(object) => object,
        other => {
            problems.push(Problem::wrong_type(path, "an object", other));
            return kept;
        }
    };
    for (key, value) in object {
        let path = path.key(key);
        let days = match key.as_str() {
            "completedDays" => &mut kept.completed_days,
            "failedDays" => &mut kept.failed_days,
            "cancelledDays" => &mut kept.cancelled_days,
            _ => {
                let message =
                    format!("unknown key `{key}`; the keys are completedDays, failedDays, cancelledDays");
                problems.push(Problem::new(&path, "unknown_key", message));
                continue;
            }
        };
        *days = at_most(value, MAX_DAYS, &path, problems).and_then(|days| u32::try_from(days).ok());
    }
    kept
}

fn workflow_id(settings: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<WorkflowId> {
    let path = Path::root().key("settings");
    let text = optional_text(settings, "onFailure", &|| path.clone(), problems)?;
    match text.parse() {
        Ok(id) => Some(id),
        Err(error) => {
            let message = format!("{error}: the id of the workflow that is told of failures");
            problems.push(Problem::new(path.key("onFailure"), "invalid_id", message));
            None
        }
    }
}

fn positive(value: &Value, path: &Path, problems: &mut Vec<Problem>) -> Option<u64> {
    at_most(value, u64::from(u32::MAX), path, problems)
}

fn at_most(value: &Value, most: u64, path: &Path, problems: &mut Vec<Problem>) -> Option<u64> {
    match value {
        Value::Null => None,
        Value::Number(number) if number.as_u64().is_some_and(|n| n > 0 && n <= most) => number.as_u64(),
        Value::Number(_) => {
            problems.push(Problem::new(
                path,
                "out_of_range",
                format!("expected 1 to {most}"),
            ));
            None
        }
        other => {
            problems.push(Problem::wrong_type(path, "a whole number", other));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: Value) -> (Definition, Vec<String>) {
        let mut problems = Vec::new();
        let definition = Definition::from_json(document.as_object().unwrap(), &mut problems);
        (definition, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_react_flow_adds_is_not_looked_at() {
        let (definition, problems) = read(json!({
            "nodes": [{"id": "a", "type": "trigger", "position": {"x": 1, "y": 2}, "selected": true}],
            "edges": [{"id": "e", "source": "a", "target": "b", "sourceHandle": null, "animated": true}],
            "viewport": {},
        }));
        assert_eq!(problems, [""; 0]);
        assert_eq!(definition.nodes[0].label(), "Unnamed Node");
        assert_eq!(definition.edges[0].source_handle, None);
    }

    #[test]
    fn every_wrong_shape_is_named_with_its_path() {
        let (_, problems) = read(json!({
            "nodes": [{"id": "", "type": 3}, 7, {"id": "a/b", "type": "trigger", "data": []}],
            "edges": {"a": "b"},
            "variables": [],
            "settings": {
                "maxParallel": 0,
                "colour": "red",
                "retry": 3,
                "onFailure": "ada",
                "retention": {"completedDays": 0, "failedDays": 36500, "days": 1},
            },
        }));
        assert_eq!(problems.len(), 13, "{problems:#?}");
        assert!(problems.contains(&"$.nodes[1]: expected an object, found a number".to_owned()));
        assert!(problems.contains(&"$.nodes[2].data: expected an object, found an array".to_owned()));
    }
}
