//! Description: the document, and whether an answer is what it says.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::world::Answer;

/// What `/openapi.json` answers with.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(gristmill_api::openapi()).unwrap());

/// Shapes that say themselves that more may stand on them.
const OPEN: [&str; 2] = ["Edge", "Node"];

/// An operation, with its method and the path as the router has it.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: &'static str,
    pub(crate) description: &'static Value,
}

/// Every operation there is.
pub(crate) fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, description)| Operation {
            method: method.to_uppercase(),
            path,
            description,
        })
    });
    operations.collect()
}

/// What is wrong with an answer by the document. A request that no operation is described for is answered by the layers
/// around the routes: a problem, whatever it is.
pub(crate) fn fault(method: &str, path: &str, answer: &Answer) -> Option<String> {
    let operations = operations();
    let found = operations
        .iter()
        .filter(|operation| operation.method == method && matches(operation.path, path))
        // A path in full beats one with an id in that place.
        .min_by_key(|operation| operation.path.matches('{').count())?;
    let status = answer.status.to_string();
    let response = &found.description["responses"][&status];
    if response.is_null() {
        return Some(format!("{} {} has no status {status}", found.method, found.path));
    }
    if let Some(kind) = undescribed_problem(response, answer) {
        return Some(format!("the description of {status} does not name `{kind}`"));
    }
    if let Some(name) = undescribed_header(response, answer) {
        return Some(format!("the description of {status} has no header `{name}`"));
    }
    let contents = response["content"].as_object();
    let Some(content_type) = answer.header("content-type") else {
        return contents.map(|_| "it has no body".to_owned());
    };
    let Some(content) = contents.and_then(|contents| contents.get(content_type)) else {
        return Some(format!("it is {content_type}"));
    };
    if !content_type.ends_with("json") {
        return None;
    }
    let body = serde_json::from_str(&answer.text).unwrap_or_default();
    let problems = validator(&content["schema"]);
    let problems: Vec<_> = problems
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!problems.is_empty()).then(|| problems.join("\n"))
}

/// The answer's problem type, when the description of its status does not say when it comes.
fn undescribed_problem(response: &Value, answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let kind = body["type"].as_str()?.strip_prefix("urn:gristmill:problem:")?;
    let description = response["description"].as_str()?;
    (!description.contains(&format!("`{kind}`"))).then(|| kind.to_owned())
}

/// Headers that say how an answer is carried, and nothing about what was asked.
const CARRIED: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
];

/// A header of the answer's that the description of its status does not have.
fn undescribed_header<'a>(response: &Value, answer: &'a Answer) -> Option<&'a str> {
    let mut names = answer.headers.keys().map(|name| name.as_str());
    names.find(|name| !CARRIED.contains(name) && response["headers"][name].is_null())
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, found)| {
            match (expected.split_once('{'), expected.rsplit_once('}')) {
                (Some((before, _)), Some((_, after))) => {
                    found.starts_with(before) && found.ends_with(after) && !found.is_empty()
                }
                _ => expected == found,
            }
        })
}

/// A validator for a schema of the document.
pub(crate) fn validator(schema: &Value) -> Arc<Validator> {
    static BUILT: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = built.entry(schema.to_string()).or_insert_with(|| {
        let mut whole = json!({"allOf": [schema], "components": STRICT["components"]});
        close(&mut whole["allOf"][0]);
        Arc::new(jsonschema::validator_for(&whole).unwrap())
    });
    validator.clone()
}

/// The document with every shape closed: a key that is not described is a fault here, while clients have to bear it.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = DOCUMENT.clone();
    let mut parts = HashSet::new();
    find_parts(&document, &mut parts);
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        if !OPEN.contains(&name.as_str()) && !parts.contains(&format!("#/components/schemas/{name}")) {
            close(schema);
        }
    }
    document
});

/// Shapes that others are put together from: they are closed where that is done.
fn find_parts(value: &Value, parts: &mut HashSet<String>) {
    if let Some(all) = value["allOf"].as_array() {
        let references = all.iter().flat_map(|part| {
            let one_of = part["oneOf"].as_array().into_iter().flatten();
            one_of.chain([part]).filter_map(|part| part["$ref"].as_str())
        });
        parts.extend(references.map(str::to_owned));
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| find_parts(value, parts)),
        Value::Array(items) => items.iter().for_each(|value| find_parts(value, parts)),
        _ => {}
    }
}

fn close(schema: &mut Value) {
    if schema["properties"].is_object() || schema["allOf"].is_array() {
        schema["unevaluatedProperties"] = Value::Bool(false);
    }
}
