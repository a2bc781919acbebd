//! Request hash: what must be equal when an idempotency key is.

use std::fmt::Write;

use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_store::Start;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Content, ReplayedRevision};

/// A hash of the workflow, the input's meaning, the start, and tags and metadata where there are any: a producer that repeats
/// a request may space it or order its keys differently.
pub(super) fn request_hash(workflow: &WorkflowId, content: &Content<'_>) -> String {
    let mut text = format!("{workflow}\n");
    match content.start {
        Start::Now => {}
        Start::At(time) => text.push_str(&format!("at {}\n", time.timestamp_micros())),
        Start::In(delay) => text.push_str(&format!("in {}\n", delay.as_millis())),
    }
    write_object(&mut text, &content.input.values);
    if let Some(tags) = &content.tags {
        text.push_str(&format!("\ntags {tags}"));
    }
    if let Some(metadata) = &content.metadata {
        text.push_str("\nmetadata ");
        write_object(&mut text, &metadata.values);
    }
    sha256_hex(&text)
}

/// The same for a replay: it says nothing but what is replayed, and on which revision.
pub(super) fn replay_hash(original: &ExecutionId, revision: ReplayedRevision) -> String {
    let revision = match revision {
        ReplayedRevision::Same => "Same",
        ReplayedRevision::Newest => "Newest",
    };
    sha256_hex(&format!("replay\n{original}\n{revision}"))
}

fn sha256_hex(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string does not fail.
        write!(hex, "{byte:02x}").ok();
    }
    hex
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Object(object) => write_object(text, object),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_value(text, item);
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
        write_value(text, value);
        text.push(',');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::Object;

    fn hash(workflow: &str, input: &str) -> String {
        hash_of(workflow, &content(input))
    }

    fn hash_of(workflow: &str, content: &Content<'_>) -> String {
        request_hash(&workflow.parse().unwrap(), content)
    }

    fn content(input: &str) -> Content<'static> {
        Content {
            input: Object::parse(input).unwrap(),
            ..Content::default()
        }
    }

    fn hash_with(workflow: &str, input: &str, start: Start) -> String {
        let content = Content {
            start,
            ..content(input)
        };
        hash_of(workflow, &content)
    }

    #[test]
    fn tags_and_metadata_count_where_there_are_any() {
        let with = |tags: Option<&str>, metadata: Option<&str>| {
            let content = Content {
                tags: tags.map(Into::into),
                metadata: metadata.map(|metadata| Object::parse(metadata).unwrap()),
                ..content(r#"{"a":[1,2]}"#)
            };
            hash_of("wf_1", &content)
        };
        let bare = with(None, None);
        assert_eq!(hash("wf_1", r#"{"a":[1,2]}"#), bare);
        let hashes = [
            with(Some(r#"["a"]"#), None),
            with(Some(r#"["b"]"#), None),
            with(None, Some("{}")),
            with(None, Some(r#"{"x":1,"y":2}"#)),
            bare,
        ];
        let distinct: HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(hashes[3], with(None, Some(r#"{"y":2, "x":1}"#)));
    }

    /// Keys outlive versions: what was hashed by an earlier one has to be found again.
    #[test]
    fn a_hash_is_what_it_always_was() {
        let content = Content {
            start: Start::In(Duration::from_secs(1)),
            tags: Some(r#"["a"]"#.into()),
            metadata: Some(Object::parse(r#"{"y": 2, "x": [null]}"#).unwrap()),
            ..content(r#"{"b": "é", "a": {"d": 1.50, "c": true}}"#)
        };
        let text = "wf_1\nin 1000\n{\"a\":{\"c\":true,\"d\":1.5,},\"b\":\"é\",}\ntags [\"a\"]\nmetadata {\"x\":[null,],\"y\":2,}";
        assert_eq!(hash_of("wf_1", &content), sha256_hex(text));
        let original = ExecutionId::new();
        assert_eq!(
            replay_hash(&original, ReplayedRevision::Newest),
            sha256_hex(&format!("replay\n{original}\nNewest"))
        );
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
        let distinct: HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }
}
