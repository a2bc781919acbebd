//! The environments that expressions share: never changed after they were built.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::{helpers, meter};
use crate::value::{MAX_RESULT_BYTES, to_json};

/// The filters that stand for the operators `*`, `+` and `~` where those could make large values.
pub(super) const TIMES: &str = "__times";
pub(super) const PLUS: &str = "__plus";
pub(super) const CONCAT: &str = "__concat";

/// Filters that make as many bytes or items as a number in the expression says, or that serve a page of HTML.
const REMOVED_FILTERS: [&str; 8] = [
    "format", "indent", "pprint", "batch", "slice", "safe", "escape", "e",
];

/// Functions that show the interpreter's inside, or make values that change.
const REMOVED_FUNCTIONS: [&str; 2] = ["debug", "namespace"];

/// Filters of the library. Each pays for the size of what it is given.
const METERED_FILTERS: [&str; 38] = [
    "abs",
    "attr",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The environment for expressions that may take so much fuel. There are as many as there are limits in use: one.
pub(super) fn get(fuel: u64) -> &'static Environment<'static> {
    static ENVIRONMENTS: Mutex<BTreeMap<u64, &'static Environment<'static>>> = Mutex::new(BTreeMap::new());
    let mut environments = ENVIRONMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    environments
        .entry(fuel)
        .or_insert_with(|| Box::leak(Box::new(build(fuel))))
}

/// Whether there is a filter of that name, for people.
pub(super) fn has_filter(name: &str) -> bool {
    OWN_FILTERS.contains(&name) || METERED_FILTERS.contains(&name)
}

/// Whether there is a test of that name.
pub(super) fn has_test(name: &str) -> bool {
    let unknown = |error: Error| error.kind() == ErrorKind::UnknownTest;
    !plain().empty_state().perform_test(name, &[]).is_err_and(unknown)
}

/// Filters of ours.
const OWN_FILTERS: [&str; 5] = ["num", "replace", "tojson", "date", "datefmt"];

/// What the metered filters hand their work to.
fn plain() -> &'static Environment<'static> {
    static PLAIN: LazyLock<Environment<'static>> = LazyLock::new(bare);
    &PLAIN
}

fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for name in REMOVED_FILTERS {
        environment.remove_filter(name);
    }
    for name in REMOVED_FUNCTIONS {
        environment.remove_global(name);
    }
    environment.add_filter("num", num);
    environment.add_filter("replace", replace);
    environment.add_filter("tojson", json_text);
    environment.add_filter("date", helpers::date);
    environment.add_filter("datefmt", helpers::date_format);
    environment
}

fn build(fuel: u64) -> Environment<'static> {
    let mut environment = bare();
    environment.set_fuel(Some(fuel));
    for name in METERED_FILTERS {
        environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            meter::pay(state, &args)?;
            match name {
                "join" => helpers::check_join(&args)?,
                "map" if helpers::names_a_filter(&args) => return helpers::map(state, &args),
                "select" | "reject" => return helpers::choose(state, &args, name == "select"),
                _ => {}
            }
            plain().empty_state().apply_filter(name, &args)
        });
    }
    environment.add_filter("replace", |state: &mut State, args: Rest<ValueOrKwargs>| {
        let args = args.into_values();
        meter::pay(state, &args)?;
        plain().empty_state().apply_filter("replace", &args)
    });
    environment.add_filter("tojson", |state: &mut State, args: Rest<ValueOrKwargs>| {
        let args = args.into_values();
        meter::pay(state, &args)?;
        plain().empty_state().apply_filter("tojson", &args)
    });
    environment.add_filter(TIMES, super::operators::times);
    environment.add_filter(PLUS, super::operators::plus);
    environment.add_filter(CONCAT, super::operators::concat);
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
        return Err(too_long());
    }
    Ok(text.replace(from, to))
}

/// The error of a value that would become too large.
pub(super) fn too_long() -> Error {
    let message = format!("the result is longer than {MAX_RESULT_BYTES} bytes");
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The value as JSON text.
fn json_text(value: &Value) -> Result<String, Error> {
    to_json(value)
        .map(|json| json.to_string())
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}
