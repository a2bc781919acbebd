//! The environments that expressions share: never changed after they were built.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::{helpers, meter};
use crate::language::value::{MAX_RESULT_BYTES, to_json};

/// The filters that stand for the operators `*`, `+` and `~` where those could make large values.
pub(super) const TIMES: &str = "__times";
pub(super) const PLUS: &str = "__plus";
pub(super) const CONCAT: &str = "__concat";

/// The filters that give what they are given, and pay for a look at all of it, or at what it begins with: for comparisons
/// and slices.
pub(super) const LOOK: &str = "__look";
pub(super) const GLANCE: &str = "__glance";

/// Filters that make as many bytes or items as a number in the expression says, or that serve a page of HTML.
const REMOVED_FILTERS: [&str; 8] = [
    "format", "indent", "pprint", "batch", "slice", "safe", "escape", "e",
];

/// Functions that show the interpreter's inside, or make values that change.
const REMOVED_FUNCTIONS: [&str; 2] = ["debug", "namespace"];

/// Filters that come to a number or a boolean, or fail.
pub(super) const NUMBER_FILTERS: [&str; 9] = [
    "abs", "bool", "count", "date", "float", "int", "length", "num", "round",
];

/// Filters that come to a text, or fail.
pub(super) const WRITING_FILTERS: [&str; 10] = [
    "capitalize",
    "datefmt",
    "join",
    "lower",
    "replace",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];

/// Filters of the library that hand on what they are given, or look at nothing but the items themselves. Each pays for so
/// many items.
const SHALLOW_FILTERS: [&str; 19] = [
    "abs", "attr", "bool", "chain", "count", "d", "default", "first", "float", "int", "items", "last",
    "length", "list", "map", "reverse", "round", "sum", "zip",
];

/// Filters of the library that compare what they are given, or write it. Each pays for all that stands in it, or for the one
/// attribute of each item that it looks at.
const DEEP_FILTERS: [&str; 17] = [
    "capitalize",
    "dictsort",
    "groupby",
    "join",
    "lines",
    "lower",
    "max",
    "min",
    "replace",
    "sort",
    "split",
    "string",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// Filters that test item by item. Each test pays for itself.
const CHOOSING_FILTERS: [&str; 4] = ["select", "reject", "selectattr", "rejectattr"];

/// Filters that write what is no text before they work on it.
const TEXT_FILTERS: [&str; 8] = [
    "capitalize",
    "lines",
    "lower",
    "split",
    "string",
    "title",
    "trim",
    "upper",
];

/// Tests of the library that compare, by every name. Each pays for all that stands in what it is given.
const COMPARING_TESTS: [&str; 21] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "endingwith",
    "eq",
    "equalto",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "le",
    "lessthan",
    "lower",
    "lt",
    "ne",
    "sameas",
    "startingwith",
    "upper",
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
    [
        &OWN_FILTERS[..],
        &SHALLOW_FILTERS,
        &DEEP_FILTERS,
        &CHOOSING_FILTERS,
    ]
    .iter()
    .any(|names| names.contains(&name))
}

/// Whether there is a test of that name.
pub(super) fn has_test(name: &str) -> bool {
    let unknown = |error: Error| error.kind() == ErrorKind::UnknownTest;
    !plain().empty_state().perform_test(name, &[]).is_err_and(unknown)
}

/// Filters of ours, beside those that take the place of the library's.
const OWN_FILTERS: [&str; 3] = ["num", "date", "datefmt"];

/// What the metered filters hand their work to.
pub(super) fn plain() -> &'static Environment<'static> {
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
    for name in SHALLOW_FILTERS {
        environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            meter::pay_shallow(state, &args)?;
            helpers::pay_paths(state, &args)?;
            if name == "attr" {
                // All of the key is looked at.
                meter::pay(state, args.get(1..).unwrap_or_default())?;
            }
            match name {
                "map" if helpers::names_a_filter(&args) => helpers::map(state, &args),
                "sum" => helpers::sum(state, &args),
                _ => apply(state, name, &args),
            }
        });
    }
    for name in DEEP_FILTERS {
        environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            helpers::pay_paths(state, &args)?;
            match helpers::attributes(name, &args)? {
                Some(compared) => {
                    meter::pay_shallow(state, &args)?;
                    meter::pay(state, &compared)?;
                }
                None => meter::pay(state, &args)?,
            }
            if name == "join" {
                helpers::check_join(&args)?;
            }
            if TEXT_FILTERS.contains(&name) {
                args.iter().try_for_each(meter::check_text)?;
            }
            apply(state, name, &args)
        });
    }
    for name in CHOOSING_FILTERS {
        let (by_attribute, wanted) = (name.ends_with("attr"), name.starts_with("select"));
        environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            helpers::choose(state, &args.into_values(), by_attribute, wanted)
        });
    }
    for name in COMPARING_TESTS {
        environment.add_test(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            meter::pay(state, &args)?;
            plain().empty_state().perform_test(name, &args)
        });
    }
    environment.add_filter(LOOK, |state: &mut State, value: Rest<Value>| {
        meter::pay(state, &value)?;
        Ok(value.0.into_iter().next().unwrap_or_default())
    });
    environment.add_filter(GLANCE, |state: &mut State, value: Rest<Value>| {
        meter::pay_shallow(state, &value)?;
        Ok(value.0.into_iter().next().unwrap_or_default())
    });
    environment.add_filter(TIMES, super::operators::times);
    environment.add_filter(PLUS, super::operators::plus);
    environment.add_filter(CONCAT, super::operators::concat);
    environment
}

/// Applies a filter of the library, and pays for what it makes.
fn apply(state: &mut State, name: &str, args: &[Value]) -> Result<Value, Error> {
    let made = plain().empty_state().apply_filter(name, args)?;
    meter::pay_made(state, &made)?;
    Ok(made)
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
            if let Ok(whole) = text.parse::<u64>() {
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
