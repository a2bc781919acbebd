//! The body of a submit: what an execution is started with.

use std::borrow::Cow;
use std::time::Duration;

use gristmill_core::Problem;
use gristmill_core::journal::RESERVED_KEY;
use gristmill_dispatch::{Content, Object};
use gristmill_store::Start;
use serde_json::Value;

use crate::http::extract::{Document, time};
use crate::routes::fields::Fields;

/// The keys of a submit.
const KEYS: [&str; 5] = ["input", "runAt", "delayMs", "tags", "metadata"];

/// Reads `{"input": {…}, "runAt": "…", "delayMs": …, "tags": […], "metadata": {…}}`; no body, no input and null all mean
/// an empty object, to be run at once.
///
/// # Errors
/// Every problem at once.
pub(super) fn read(document: Option<&Document>) -> Result<Content<'_>, Vec<Problem>> {
    let Some(document) = document else {
        return Ok(Content::default());
    };
    let mut fields = Fields::of(document);
    fields.refuse_unknown(&KEYS);
    let values = match fields.value("input") {
        None => Cow::default(),
        Some(Value::Object(values)) => Cow::Borrowed(values),
        Some(_) => {
            fields.add("input", "wrong_type", "`input` is an object".to_owned());
            Cow::default()
        }
    };
    let start = start(&mut fields);
    let (tags, metadata) = (fields.some_tags(), fields.metadata());
    let text = document.text("input", "{}");
    // In the text: as an object's first key it is gone from the values, and so would it be from a worker's.
    if text.contains(RESERVED_KEY) {
        let message = format!("`input` must not hold `{RESERVED_KEY}`, which is reserved");
        fields.add("input", "reserved_key", message);
    }
    if fields.problems.is_empty() {
        let text = text.into();
        Ok(Content {
            input: Object { values, text },
            start,
            tags: tags.map(Into::into),
            metadata,
        })
    } else {
        Err(fields.problems)
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
        let problems = read(Some(&document)).err().unwrap();
        assert_eq!(
            (problems[0].path.as_str(), problems[0].code),
            ("$.input", "reserved_key")
        );
    }

    #[test]
    fn no_tags_and_no_metadata_are_as_good_as_none_at_all() {
        let document = |body: &str| Document::parse(body.as_bytes()).ok().unwrap();
        for body in [
            r#"{"input":{"a":[1,2]}}"#,
            r#"{"input":{"a":[1,2]},"tags":[],"metadata":null}"#,
        ] {
            let document = document(body);
            let content = read(Some(&document)).unwrap();
            assert_eq!(&*content.input.text, r#"{"a":[1,2]}"#);
            assert!(
                content.tags.is_none() && content.metadata.is_none(),
                "{content:?}"
            );
        }
    }
}
