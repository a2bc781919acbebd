//! What must be equal when an idempotency key is.

use gristmill_core::WorkflowId;
use serde_json::{Map, Value};

use crate::key::sha256_hex;

/// A hash of the workflow and the input's meaning: a producer that repeats a request may space it or order its keys
/// differently.
pub(crate) fn request_hash(workflow: &WorkflowId, input: &Map<String, Value>) -> String {
    let mut text = format!("{workflow}\n");
    write_object(&mut text, input);
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

    fn hash(workflow: &str, input: &str) -> String {
        request_hash(
            &workflow.parse().unwrap(),
            serde_json::from_str::<Value>(input).unwrap().as_object().unwrap(),
        )
    }

    #[test]
    fn spaces_and_the_order_of_keys_do_not_count() {
        let one = hash("wf_1", r#"{"a": [1, {"x": "é", "y": null}], "b": true}"#);
        let two = hash("wf_1", r#"{"b":true,"a":[1,{"y":null,"x":"\u00e9"}]}"#);
        assert_eq!(one, two);
    }

    #[test]
    fn workflow_values_and_the_order_of_items_count() {
        let hashes = [
            hash("wf_1", r#"{"a":[1,2]}"#),
            hash("wf_2", r#"{"a":[1,2]}"#),
            hash("wf_1", r#"{"a":[2,1]}"#),
            hash("wf_1", r#"{"a":[1,"2"]}"#),
            hash("wf_1", r#"{"a":[[1],2]}"#),
            hash("wf_1", r#"{"b":[1,2]}"#),
            hash("wf_1", r#"{"a":[1,2],"b":null}"#),
        ];
        let distinct: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }
}
