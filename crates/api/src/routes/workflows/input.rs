//! What an execution is started with.

use gristmill_core::Problem;
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::extract::Document;

/// An execution's input.
pub(crate) struct Input {
    pub(crate) values: Map<String, Value>,
    /// The object as it was sent.
    pub(crate) text: String,
}

impl Input {
    /// Reads `{"input": {…}}`; no body, no input and null all mean an empty object.
    ///
    /// # Errors
    /// Every problem at once.
    pub(crate) fn read(document: Option<&Document>) -> Result<Self, Vec<Problem>> {
        let Some(document) = document else {
            return Ok(Self {
                values: Map::new(),
                text: "{}".to_owned(),
            });
        };
        let mut fields = Fields::of(document);
        fields.refuse_unknown(&["input"]);
        let values = match fields.value("input") {
            None => Map::new(),
            Some(Value::Object(values)) => values.clone(),
            Some(_) => {
                fields.add("input", "wrong_type", "`input` is an object".to_owned());
                Map::new()
            }
        };
        let problems = fields.problems;
        let text = document.text("input", "{}").to_owned();
        if problems.is_empty() {
            Ok(Self { values, text })
        } else {
            Err(problems)
        }
    }
}
