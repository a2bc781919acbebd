//! Common: the keys of `data` that every kind has.

use std::time::Duration;

use gristmill_core::journal::RESERVED_KEY;

use crate::{Fields, RetryPolicy};

/// All of them. `ui` is the editor's own: anything may stand in it, and nothing reads it.
pub(crate) const KEYS: [&str; 8] = [
    "label",
    "disabled",
    "output",
    "retry",
    "timeoutMs",
    "onError",
    "atMostOnce",
    "ui",
];

/// The longest time that an attempt of an effect may be given: a day.
const MAX_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1_000;

/// The longest time that something may be waited for without a worker: ten years.
const MAX_PATIENCE_MS: u64 = 3_653 * 24 * 60 * 60 * 1_000;

/// What the common keys say.
pub(crate) struct Common {
    /// Whether the node is switched off.
    pub disabled: bool,
    /// The key that its output is nested under.
    pub output: Option<String>,
    pub retry: RetryPolicy,
    pub timeout: Option<Duration>,
    pub on_error: Option<OnError>,
    /// Whether an attempt whose end nobody knows fails the node instead of being repeated.
    pub at_most_once: bool,
}

/// What the definition says about a failure, in so many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    Fail,
    Continue,
    Route,
}

impl Common {
    /// Reads the common keys; `retry` is what holds where the node's own `retry` is silent, and `is_patient` says that the
    /// node waits without a worker.
    pub(crate) fn read(fields: &mut Fields<'_>, retry: RetryPolicy, is_patient: bool) -> Self {
        // Read for their types only: people and editors use them.
        fields.string("label");
        fields.object("ui");
        let output = if fields.has("output") {
            fields.required_string("output")
        } else {
            None
        };
        if output.as_deref() == Some(RESERVED_KEY) {
            fields.problem("output", "reserved_key", "this key is reserved");
        }
        let at_most_once = fields.bool("atMostOnce").unwrap_or_default();
        let retry = if at_most_once { RetryPolicy::once() } else { retry };
        let longest = if is_patient {
            MAX_PATIENCE_MS
        } else {
            MAX_TIMEOUT_MS
        };
        let retry = fields
            .nested("retry", |fields| retry.clone().read(fields))
            .unwrap_or(retry);
        if at_most_once && retry.max_attempts > 1 {
            let message = "`atMostOnce` and more than one attempt contradict each other";
            fields.problem("retry", "contradiction", message);
        }
        Self {
            disabled: fields.bool("disabled").unwrap_or_default(),
            output,
            retry,
            at_most_once,
            timeout: fields.u64("timeoutMs", 1..=longest).map(Duration::from_millis),
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
