//! The environments that expressions share: never changed after they were built.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::limits::too_long;
use super::names::{
    CHOOSING_FILTERS, COMPARING_TESTS, CONCAT, DEEP_FILTERS, GLANCE, LOOK, PLUS, REMOVED_FILTERS,
    REMOVED_FUNCTIONS, SHALLOW_FILTERS, TEXT_FILTERS, TIMES,
};
use super::{helpers, meter, operators};
use crate::language::value::{MAX_RESULT_BYTES, to_json};

/// The environment for expressions that may take so much fuel. There are as many as there are limits in use: one.
pub(super) fn get(fuel: u64) -> &'static Environment<'static> {
    static ENVIRONMENTS: Mutex<BTreeMap<u64, &'static Environment<'static>>> = Mutex::new(BTreeMap::new());
    let mut environments = ENVIRONMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    environments
        .entry(fuel)
        .or_insert_with(|| Box::leak(Box::new(build(fuel))))
}

/// Whether there is a test of that name.
pub(super) fn has_test(name: &str) -> bool {
    let unknown = |error: Error| error.kind() == ErrorKind::UnknownTest;
    !plain().empty_state().perform_test(name, &[]).is_err_and(unknown)
}

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
                "sum" => match helpers::sum(state, &args)? {
                    Some(sum) => Ok(sum),
                    None => plain().empty_state().apply_filter(name, &args),
                },
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
    environment.add_filter(TIMES, operators::times);
    environment.add_filter(PLUS, operators::plus);
    environment.add_filter(CONCAT, operators::concat);
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

/// The value as JSON text.
fn json_text(value: &Value) -> Result<String, Error> {
    to_json(value)
        .map(|json| json.to_string())
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}
