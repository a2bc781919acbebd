//! Child end: how a child execution ended, as a message in its parent's inbox.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ExecutionError;

/// How a child execution ended. The body of the message that the transaction of its end puts into its parent's inbox: there a
/// statement writes it, and a test holds the statement to this type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChildEnd {
    /// With an output.
    Completed {
        /// The output object.
        #[serde(default)]
        output: Map<String, Value>,
    },
    /// With an error.
    Failed {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ExecutionError>,
    },
    /// By an operator.
    Cancelled,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_end_reads_back_as_written() {
        let output = json!({"b": 1.5, "a": [null]}).as_object().unwrap().clone();
        let error = ExecutionError::new("timeout", "too long");
        for (end, text) in [
            (
                ChildEnd::Completed { output },
                r#"{"status":"COMPLETED","output":{"b":1.5,"a":[null]}}"#,
            ),
            (
                ChildEnd::Failed { error: Some(error) },
                r#"{"status":"FAILED","error":{"code":"timeout","message":"too long"}}"#,
            ),
            (ChildEnd::Cancelled, r#"{"status":"CANCELLED"}"#),
        ] {
            assert_eq!(serde_json::to_string(&end).unwrap(), text);
            assert_eq!(serde_json::from_str::<ChildEnd>(text).unwrap(), end);
        }
    }
}
