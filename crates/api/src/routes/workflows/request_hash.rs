//! What must be equal when an idempotency key is.

use gristmill_core::WorkflowId;
use gristmill_store::Start;
use serde_json::{Map, Value};

use crate::auth::key::sha256_hex;
use crate::routes::submit::body::Input;

/// A hash of the workflow, the input's meaning, the start, and tags and metadata where there are any: a producer that repeats
/// a request may space it or order its keys differently.
pub(crate) fn request_hash(workflow: &WorkflowId, input: &Input) -> String {
    let mut text = format!("{workflow}\n");
    match input.start {
        Start::Now => {}
        Start::At(time) => text.push_str(&format!("at {}\n", time.timestamp_micros())),
        Start::In(delay) => text.push_str(&format!("in {}\n", delay.as_millis())),
    }
    write_object(&mut text, &input.values);
    if let Some(tags) = &input.tags {
        text.push_str(&format!("\ntags {tags}"));
    }
    if let Some(metadata) = &input.metadata {
        text.push_str("\nmetadata ");
        write_object(&mut text, &metadata.values);
    }
    sha256_hex(text.as_bytes())
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Object(object) => write_object(text, object),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(text, item);
                text.push(',');
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string())
        }
    }
}

fn write_object(text: &mut String, object: &Map<String, Value>) {
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in entries {
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        write(text, value);
        text.push(',');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use std::time::Duration;

    fn hash(workflow: &str, input: &str) -> String {
        hash_with(workflow, input, Start::Now)
    }

    fn hash_of(body: &str) -> String {
        let document = crate::http::extract::Document::parse(body.as_bytes()).unwrap();
        request_hash(&"wf_1".parse().unwrap(), &Input::read(Some(&document)).unwrap())
    }

    #[test]
    fn tags_and_metadata_count_where_there_are_any() {
        let bare = hash_of(r#"{"input":{"a":[1,2]}}"#);
        assert_eq!(hash("wf_1", r#"{"a":[1,2]}"#), bare);
        assert_eq!(
            hash_of(r#"{"input":{"a":[1,2]},"tags":[],"metadata":null}"#),
            bare
        );
        let hashes = [
            hash_of(r#"{"input":{"a":[1,2]},"tags":["a"]}"#),
            hash_of(r#"{"input":{"a":[1,2]},"tags":["b"]}"#),
            hash_of(r#"{"input":{"a":[1,2]},"metadata":{}}"#),
            hash_of(r#"{"input":{"a":[1,2]},"metadata":{"x":1,"y":2}}"#),
            bare,
        ];
        let distinct: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(
            hashes[3],
            hash_of(r#"{"metadata":{"y":2, "x":1},"input":{"a":[1,2]}}"#)
        );
    }

    fn hash_with(workflow: &str, input: &str, start: Start) -> String {
        let input = Input {
            values: serde_json::from_str(input).unwrap(),
            text: input.to_owned(),
            start,
            ..Input::default()
        };
        request_hash(&workflow.parse().unwrap(), &input)
    }

    #[test]
    fn spaces_and_the_order_of_keys_do_not_count() {
        let one = hash("wf_1", r#"{"a": [1, {"x": "é", "y": null}], "b": true}"#);
        let two = hash("wf_1", r#"{"b":true,"a":[1,{"y":null,"x":"\u00e9"}]}"#);
        assert_eq!(one, two);
    }

    #[test]
    fn workflow_values_the_order_of_items_and_the_start_count() {
        let hashes = [
            hash("wf_1", r#"{"a":[1,2]}"#),
            hash("wf_2", r#"{"a":[1,2]}"#),
            hash("wf_1", r#"{"a":[2,1]}"#),
            hash("wf_1", r#"{"a":[1,"2"]}"#),
            hash("wf_1", r#"{"a":[[1],2]}"#),
            hash("wf_1", r#"{"b":[1,2]}"#),
            hash("wf_1", r#"{"a":[1,2],"b":null}"#),
            hash_with("wf_1", r#"{"a":[1,2]}"#, Start::In(Duration::from_secs(1))),
            hash_with("wf_1", r#"{"a":[1,2]}"#, Start::In(Duration::from_secs(2))),
            hash_with("wf_1", r#"{"a":[1,2]}"#, Start::At(DateTime::UNIX_EPOCH)),
        ];
        let distinct: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }
}
