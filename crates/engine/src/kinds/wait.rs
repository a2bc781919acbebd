//! `wait`: goes on after `durationMs` milliseconds, or at `until`: an RFC 3339 time such as `2026-03-01T08:00:00Z`, or
//! milliseconds since 1970. A time that has passed is no wait. Its output is `{}` and is never merged.

use chrono::DateTime;
use gristmill_core::journal::WaitsFor;
use serde_json::{Map, Value};

use crate::{Compiled, Fields, Kind, NodeFailure, Pause, Scope, Template, Wait};

/// The longest wait: ten years, in milliseconds.
const MAX_DURATION_MS: u64 = 3_653 * 24 * 60 * 60 * 1_000;

pub(crate) struct WaitKind;

enum Due {
    After(Template),
    At(Template),
}

impl Kind for WaitKind {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let due = match (fields.has("durationMs"), fields.has("until")) {
            (true, false) => {
                let template = fields.template("durationMs")?;
                check(fields, "durationMs", &template, |value| duration(value).map(drop))?;
                Due::After(template)
            }
            (false, true) => {
                let template = fields.template("until")?;
                check(fields, "until", &template, |value| time(value).map(drop))?;
                Due::At(template)
            }
            (true, true) => {
                fields.problem(
                    "until",
                    "contradiction",
                    "give either `durationMs` or `until`, not both",
                );
                return None;
            }
            (false, false) => {
                fields.problem("durationMs", "missing", "`durationMs` or `until` is required");
                return None;
            }
        };
        Some(Compiled {
            merges: false,
            ..Compiled::pause(due)
        })
    }
}

/// What holds no expression is checked when the workflow is saved.
fn check(
    fields: &mut Fields<'_>,
    key: &'static str,
    template: &Template,
    read: impl Fn(&Value) -> Result<(), String>,
) -> Option<()> {
    if let Some(Err(message)) = template.fixed().map(read) {
        fields.problem(key, "invalid_value", message);
        return None;
    }
    Some(())
}

impl Pause for Due {
    fn reach(&self, scope: &Scope, now: i64) -> Result<Wait, NodeFailure> {
        let (read, value) = match self {
            Self::After(template) => {
                let value = template.render(scope)?;
                (
                    duration(&value).map(|millis| now.saturating_add_unsigned(millis)),
                    value,
                )
            }
            Self::At(template) => {
                let value = template.render(scope)?;
                (time(&value), value)
            }
        };
        let until = read.map_err(|message| {
            let details = Map::from_iter([("value".to_owned(), value)]);
            NodeFailure::last("invalid_time", message).with_details(details)
        })?;
        Ok(Wait {
            until: Some(until),
            on: WaitsFor::Timer,
        })
    }

    fn arrived(&self, _on: &WaitsFor, _mail: Option<&Value>) -> Map<String, Value> {
        Map::new()
    }

    fn gave_up(&self, _on: &WaitsFor) -> Result<Map<String, Value>, NodeFailure> {
        Ok(Map::new())
    }
}

fn duration(value: &Value) -> Result<u64, String> {
    let whole = value.as_u64().or_else(|| {
        let float = value.as_f64().filter(|float| *float >= 0.0)?;
        Some(float as u64)
    });
    whole
        .filter(|&millis| millis <= MAX_DURATION_MS)
        .ok_or_else(|| format!("`durationMs` is a number of milliseconds from 0 to {MAX_DURATION_MS}"))
}

fn time(value: &Value) -> Result<i64, String> {
    let time = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => DateTime::parse_from_rfc3339(text.trim())
            .ok()
            .map(|time| time.timestamp_millis()),
        _ => None,
    };
    time.filter(|&at| DateTime::from_timestamp_millis(at).is_some())
        .ok_or_else(|| "`until` is a time like 2026-03-01T08:00:00Z, or milliseconds since 1970".to_owned())
}
