//! The operators that can make large values out of small ones, with a look at the size first.

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::environment::too_long;
use super::meter;
use crate::value::MAX_RESULT_BYTES;

/// The most items of a list that an operator makes: a mebibyte of the smallest.
const MAX_ITEMS: usize = MAX_RESULT_BYTES / 2;

/// `first * other * …`
pub(super) fn times(state: &mut State, first: Value, others: Rest<Value>) -> Result<Value, Error> {
    others
        .iter()
        .try_fold(first, |product, other| multiply(state, &product, other))
}

/// `first + other + …`
pub(super) fn plus(state: &mut State, first: Value, others: Rest<Value>) -> Result<Value, Error> {
    others
        .iter()
        .try_fold(first, |sum, other| add(state, &sum, other))
}

/// `first ~ other ~ …`
pub(super) fn concat(state: &mut State, first: Value, others: Rest<Value>) -> Result<Value, Error> {
    let mut text = String::new();
    for value in std::iter::once(&first).chain(others.iter()) {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        meter::pay(state, std::slice::from_ref(value))?;
        match value.as_str() {
            Some(part) => text.push_str(part),
            None => text.push_str(&value.to_string()),
        }
        if text.len() > MAX_RESULT_BYTES {
            return Err(too_long());
        }
    }
    Ok(Value::from(text))
}

fn multiply(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    match (left.kind(), right.kind()) {
        (ValueKind::Number, ValueKind::Number) => {
            arithmetic(left, right, "*", i128::checked_mul, |left, right| left * right)
        }
        (ValueKind::Number, _) => repeat(state, right, left),
        _ => repeat(state, left, right),
    }
}

fn repeat(state: &mut State, value: &Value, times: &Value) -> Result<Value, Error> {
    let times = usize::try_from(times.clone()).ok();
    match (value.kind(), times) {
        (ValueKind::String, Some(times)) => {
            let text = value.as_str().unwrap_or_default();
            match text.len().checked_mul(times) {
                Some(length) if length <= MAX_RESULT_BYTES => Ok(Value::from(text.repeat(times))),
                _ => Err(too_long()),
            }
        }
        (ValueKind::Seq | ValueKind::Iterable, Some(times)) => {
            let items: Vec<Value> = value.try_iter()?.collect();
            match items.len().checked_mul(times) {
                Some(length) if length <= MAX_ITEMS => {}
                _ => return Err(too_long()),
            }
            let repeated: Vec<_> = std::iter::repeat_n(items, times).flatten().collect();
            let repeated = Value::from(repeated);
            meter::pay(state, std::slice::from_ref(&repeated))?;
            Ok(repeated)
        }
        _ => Err(impossible("*", value, None)),
    }
}

fn add(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    match (left.kind(), right.kind()) {
        (ValueKind::Number, ValueKind::Number) => {
            arithmetic(left, right, "+", i128::checked_add, |left, right| left + right)
        }
        (ValueKind::String, ValueKind::String) => {
            let (left, right) = (
                left.as_str().unwrap_or_default(),
                right.as_str().unwrap_or_default(),
            );
            if left.len() + right.len() > MAX_RESULT_BYTES {
                return Err(too_long());
            }
            Ok(Value::from([left, right].concat()))
        }
        (ValueKind::Seq | ValueKind::Iterable, ValueKind::Seq | ValueKind::Iterable) => {
            let items: Vec<Value> = left.try_iter()?.chain(right.try_iter()?).collect();
            if items.len() > MAX_ITEMS {
                return Err(too_long());
            }
            let joined = Value::from(items);
            meter::pay(state, std::slice::from_ref(&joined))?;
            Ok(joined)
        }
        _ => Err(impossible("+", left, Some(right))),
    }
}

fn arithmetic(
    left: &Value,
    right: &Value,
    operator: &str,
    whole: fn(i128, i128) -> Option<i128>,
    fraction: fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    if left.is_integer() && right.is_integer() {
        let (left_whole, right_whole) = (i128::try_from(left.clone())?, i128::try_from(right.clone())?);
        let result = whole(left_whole, right_whole).ok_or_else(|| impossible(operator, left, Some(right)))?;
        // As the interpreter keeps whole numbers: in the smallest type that holds them.
        return Ok(i64::try_from(result).map_or_else(|_| Value::from(result), Value::from));
    }
    Ok(Value::from(fraction(
        f64::try_from(left.clone())?,
        f64::try_from(right.clone())?,
    )))
}

fn impossible(operator: &str, left: &Value, right: Option<&Value>) -> Error {
    if left.is_undefined() || right.is_some_and(Value::is_undefined) {
        return Error::from(ErrorKind::UndefinedError);
    }
    let message = match right {
        Some(right) => format!(
            "`{operator}` does not work on {} and {}",
            left.kind(),
            right.kind()
        ),
        None => format!(
            "`{operator}` repeats {} only a whole number of times",
            left.kind()
        ),
    };
    Error::new(ErrorKind::InvalidOperation, message)
}
