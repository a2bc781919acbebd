//! The one environment that all expressions share: never changed after it was built.

use std::sync::LazyLock;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use crate::value::{MAX_RESULT_BYTES, to_json};

/// Instructions that one evaluation may take.
const FUEL: u64 = 100_000;

/// Filters that make as many bytes or items as a number in the expression says, or that serve a page of HTML.
const REMOVED_FILTERS: [&str; 8] = [
    "format", "indent", "pprint", "batch", "slice", "safe", "escape", "e",
];

/// Functions that show the interpreter's inside, or make values that change.
const REMOVED_FUNCTIONS: [&str; 2] = ["debug", "namespace"];

/// The environment.
pub(super) fn get() -> &'static Environment<'static> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(build);
    &ENVIRONMENT
}

fn build() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    for name in REMOVED_FILTERS {
        environment.remove_filter(name);
    }
    for name in REMOVED_FUNCTIONS {
        environment.remove_global(name);
    }
    environment.add_filter("num", num);
    environment.add_filter("replace", replace);
    environment.add_filter("tojson", json_text);
    environment
}

/// A number as it is, or the number that a text spells.
fn num(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number => Ok(value.clone()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default().trim();
            if let Ok(whole) = text.parse::<i64>() {
                return Ok(Value::from(whole));
            }
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::from(number)),
                _ => Err(Error::new(
                    ErrorKind::InvalidOperation,
                    "num: the text is no number",
                )),
            }
        }
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("num: {kind} is no number"),
        )),
    }
}

/// Repeated replacing doubles a text with every step, so its length is checked before it is made.
fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let grown = text.matches(from).count().saturating_mul(to.len());
    if text.len().saturating_add(grown) > MAX_RESULT_BYTES {
        let message = format!("replace: the result is longer than {MAX_RESULT_BYTES} bytes");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(text.replace(from, to))
}

/// The value as JSON text.
fn json_text(value: &Value) -> Result<String, Error> {
    to_json(value)
        .map(|json| json.to_string())
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}
