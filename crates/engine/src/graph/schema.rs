//! Schema: what a trigger asks of the execution's input.

use std::fmt::{self, Write};

use gristmill_core::{MAX_PROBLEMS, Path, Problem};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// The longest message that shows the value which is wrong, in bytes.
const MAX_SHOWN: usize = 300;

/// The longest message of any.
const MAX_MESSAGE: usize = 1_000;

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
            .map_err(|error| format!("`inputSchema` is no JSON Schema: {}", message(&error)))
    }

    /// Adds what is wrong with `input` to `problems`, until there is one more than can be told.
    pub(crate) fn check(&self, input: &Value, problems: &mut Vec<Problem>) {
        let room = (MAX_PROBLEMS + 1).saturating_sub(problems.len());
        for error in self.0.iter_errors(input).take(room) {
            let path = error
                .instance_path()
                .iter()
                .fold(Path::root().key("input"), |path, segment| match segment {
                    jsonschema::paths::LocationSegment::Property(key) => path.key(&key),
                    jsonschema::paths::LocationSegment::Index(index) => path.index(index),
                });
            problems.push(Problem::new(path, "invalid_input", message(&error)));
        }
    }
}

/// What is wrong, for people. A value that is too long to be shown is left out: it was sent by whoever reads this, and may be
/// the whole input, again for everything that is wrong with it.
fn message(error: &ValidationError<'_>) -> String {
    let mut text = Bounded(String::new(), MAX_SHOWN);
    if write!(text, "{error}").is_ok() {
        return text.0;
    }
    let mut text = Bounded(String::new(), MAX_MESSAGE);
    match write!(text, "{}", error.masked()) {
        Ok(()) => text.0,
        Err(fmt::Error) => text.0 + "…",
    }
}

/// A text of so many bytes at most.
struct Bounded(String, usize);

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.1 - self.0.len();
        let end = part.floor_char_boundary(room.min(part.len()));
        self.0.push_str(&part[..end]);
        if end < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
