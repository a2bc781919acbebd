//! What a trigger asks of the execution's input.

use gristmill_core::{Path, Problem};
use jsonschema::Validator;
use serde_json::{Map, Value};

/// How many problems of one input are told.
const MAX_PROBLEMS: usize = 100;

/// A compiled JSON Schema (draft 2020-12 unless its `$schema` says otherwise). It refers to nothing outside of itself.
pub struct InputSchema(Validator);

impl InputSchema {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// Why it is no JSON Schema, for people.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        jsonschema::validator_for(schema)
            .map(Self)
            .map_err(|error| format!("`inputSchema` is no JSON Schema: {error}"))
    }

    /// Adds what is wrong with `input` to `problems`.
    pub(crate) fn check(&self, input: &Map<String, Value>, problems: &mut Vec<Problem>) {
        let input = Value::Object(input.clone());
        for error in self.0.iter_errors(&input).take(MAX_PROBLEMS) {
            let path = error
                .instance_path()
                .iter()
                .fold(Path::root().key("input"), |path, segment| match segment {
                    jsonschema::paths::LocationSegment::Property(key) => path.key(&key),
                    jsonschema::paths::LocationSegment::Index(index) => path.index(index),
                });
            problems.push(Problem::new(path, "invalid_input", error.to_string()));
        }
    }
}
