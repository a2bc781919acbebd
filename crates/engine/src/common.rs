//! The keys of `data` that every kind has.

use std::time::Duration;

use crate::{Fields, RetryPolicy};

/// All of them. `ui` is the editor's own: anything may stand in it, and nothing reads it.
pub(crate) const KEYS: [&str; 7] = [
    "label",
    "disabled",
    "output",
    "retry",
    "timeoutMs",
    "onError",
    "ui",
];

/// The longest time that one attempt may be given: a day.
const MAX_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the common keys say.
pub(crate) struct Common {
    /// Whether the node is switched off.
    pub disabled: bool,
    /// The key that its output is nested under.
    pub output: Option<String>,
    pub retry: RetryPolicy,
    pub timeout: Option<Duration>,
    pub on_error: Option<OnError>,
}

/// What the definition says about a failure, in so many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    Fail,
    Continue,
    Route,
}

impl Common {
    /// Reads the common keys; `retry` is what holds where the node's own `retry` is silent.
    pub(crate) fn read(fields: &mut Fields<'_>, retry: RetryPolicy) -> Self {
        // Read for their types only: people and editors use them.
        fields.string("label");
        fields.object("ui");
        let output = if fields.has("output") {
            fields.required_string("output")
        } else {
            None
        };
        Self {
            disabled: fields.bool("disabled").unwrap_or_default(),
            output,
            retry: fields
                .nested("retry", |fields| retry.read(fields))
                .unwrap_or(retry),
            timeout: fields
                .u64("timeoutMs", 1..=MAX_TIMEOUT_MS)
                .map(Duration::from_millis),
            on_error: fields.one_of(
                "onError",
                &[
                    ("fail", OnError::Fail),
                    ("continue", OnError::Continue),
                    ("route", OnError::Route),
                ],
            ),
        }
    }
}
