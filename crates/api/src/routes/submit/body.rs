//! The body of a submit: what an execution is started with.

use std::time::Duration;

use gristmill_core::Problem;
use gristmill_core::journal::RESERVED_KEY;
use gristmill_store::Start;
use serde_json::{Map, Value};

use crate::http::extract::{Document, time};
use crate::routes::fields::{Fields, Object};

/// An execution's input, and what comes with it.
#[derive(Default)]
pub(crate) struct Input {
    pub(crate) values: Map<String, Value>,
    /// The object as it was sent.
    pub(crate) text: String,
    /// When the execution may begin.
    pub(crate) start: Start,
    /// The producer's tags, as a JSON array.
    pub(crate) tags: Option<String>,
    /// The producer's own object, as it was sent.
    pub(crate) metadata: Option<Object>,
}

/// The keys of a submit.
const KEYS: [&str; 5] = ["input", "runAt", "delayMs", "tags", "metadata"];

impl Input {
    /// Reads `{"input": {…}, "runAt": "…", "delayMs": …, "tags": […], "metadata": {…}}`; no body, no input and null all mean
    /// an empty object, to be run at once.
    ///
    /// # Errors
    /// Every problem at once.
    pub(crate) fn read(document: Option<&Document>) -> Result<Self, Vec<Problem>> {
        let Some(document) = document else {
            return Ok(Self {
                text: "{}".to_owned(),
                ..Self::default()
            });
        };
        let mut fields = Fields::of(document);
        fields.refuse_unknown(&KEYS);
        let values = match fields.value("input") {
            None => Map::new(),
            Some(Value::Object(values)) => values.clone(),
            Some(_) => {
                fields.add("input", "wrong_type", "`input` is an object".to_owned());
                Map::new()
            }
        };
        let start = start(&mut fields);
        let (tags, metadata) = (fields.some_tags(), fields.metadata());
        let text = document.text("input", "{}").to_owned();
        // In the text: as an object's first key it is gone from the values, and so would it be from a worker's.
        if text.contains(RESERVED_KEY) {
            let message = format!("`input` must not hold `{RESERVED_KEY}`, which is reserved");
            fields.add("input", "reserved_key", message);
        }
        let problems = fields.problems;
        if problems.is_empty() {
            Ok(Self {
                values,
                text,
                start,
                tags,
                metadata,
            })
        } else {
            Err(problems)
        }
    }
}

/// The longest delay: a hundred years.
const MAX_DELAY_MS: u64 = 100 * 365 * 24 * 3_600_000;

/// `runAt` or `delayMs`, and not both.
fn start(fields: &mut Fields<'_>) -> Start {
    let run_at = fields.value("runAt").map(|value| value.as_str().and_then(time));
    let delay = fields.value("delayMs").map(|value| {
        value
            .as_u64()
            .filter(|delay| *delay <= MAX_DELAY_MS)
            .map(Duration::from_millis)
    });
    match (run_at, delay) {
        (None, None) => return Start::Now,
        (Some(Some(time)), None) => return Start::At(time),
        (None, Some(Some(delay))) => return Start::In(delay),
        (Some(_), Some(_)) => fields.add(
            "runAt",
            "contradiction",
            "there is `runAt` or `delayMs`, not both".to_owned(),
        ),
        (Some(None), None) => fields.add(
            "runAt",
            "wrong_type",
            "`runAt` is a time by RFC 3339, such as \"2030-01-31T08:00:00Z\", from 1970 to 9999".to_owned(),
        ),
        (None, Some(None)) => fields.add(
            "delayMs",
            "wrong_type",
            format!("`delayMs` is a whole number of milliseconds, 0 to {MAX_DELAY_MS}"),
        ),
    }
    Start::Now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_a_worker_would_read_as_something_else_is_refused() {
        let body = format!(r#"{{"input": {{"a": {{"{RESERVED_KEY}": "[1]"}}}}}}"#);
        let document = Document::parse(body.as_bytes()).ok().unwrap();
        let problems = Input::read(Some(&document)).err().unwrap();
        assert_eq!(
            (problems[0].path.as_str(), problems[0].code),
            ("$.input", "reserved_key")
        );
    }
}
