//! Examples of successful answers: `examples.json` has one for each operation and status, all of one small story.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// By operation, then by status.
type Examples = BTreeMap<String, BTreeMap<String, Value>>;

static EXAMPLES: LazyLock<Examples> = LazyLock::new(|| {
    // Without them, the tests of the document fail.
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
});

/// What an operation answers with this status.
pub(super) fn example_of(operation_id: &str, status: &str) -> Option<Value> {
    EXAMPLES.get(operation_id)?.get(status).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_of_an_answer_that_there_is() {
        let document: Value = serde_json::from_str(crate::openapi()).unwrap();
        let mut shown = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                for (status, response) in operation["responses"].as_object().unwrap() {
                    if response["content"]["application/json"]["example"].is_object() {
                        shown.push(format!("{id} {status}"));
                    }
                }
            }
        }
        for (id, answers) in &*EXAMPLES {
            for status in answers.keys() {
                let name = format!("{id} {status}");
                assert!(shown.contains(&name), "{name} is shown nowhere");
            }
        }
    }
}
