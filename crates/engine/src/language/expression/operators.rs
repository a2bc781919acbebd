//! Operators: the operators that can make large values out of small ones, with a look at the size first.

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::limits::too_long;
use super::meter;
use crate::language::value::MAX_RESULT_BYTES;

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
        meter::write_text(value, &mut text)?;
    }
    meter::spend(state, others.len() as u64)?;
    meter::pay_text(state, &text)?;
    Ok(Value::from(text))
}

/// The sum of texts, or of lists: what [`plus`] comes to, in one go.
pub(super) fn join_terms(state: &mut State, terms: &[Value]) -> Result<Value, Error> {
    if terms.iter().all(|term| term.kind() == ValueKind::String) {
        let mut text = String::new();
        for term in terms {
            meter::write_text(term, &mut text)?;
        }
        meter::pay_text(state, &text)?;
        return Ok(Value::from(text));
    }
    let mut items = Vec::new();
    for term in terms {
        if !is_list(term) {
            return Err(impossible("+", &terms[0], Some(term)));
        }
        for item in term.try_iter()? {
            if items.len() == MAX_ITEMS {
                return Err(too_long());
            }
            items.push(item);
        }
    }
    meter::spend(state, 1 + items.len() as u64)?;
    Ok(Value::from(items))
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
                Some(length) if length <= MAX_RESULT_BYTES => {}
                _ => return Err(too_long()),
            }
            let repeated = text.repeat(times);
            meter::pay_text(state, &repeated)?;
            Ok(Value::from(repeated))
        }
        (ValueKind::Seq | ValueKind::Iterable, Some(times)) => {
            let items: Vec<Value> = value.try_iter()?.collect();
            match items.len().checked_mul(times) {
                Some(length) if length <= MAX_ITEMS => {}
                _ => return Err(too_long()),
            }
            meter::pay_repeated(state, &items, times as u64)?;
            let repeated: Vec<_> = std::iter::repeat_n(items, times).flatten().collect();
            Ok(Value::from(repeated))
        }
        _ => Err(impossible("*", value, None)),
    }
}

fn add(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if (left.kind(), right.kind()) == (ValueKind::Number, ValueKind::Number) {
        return arithmetic(left, right, "+", i128::checked_add, |left, right| left + right);
    }
    let are_texts = left.kind() == ValueKind::String && right.kind() == ValueKind::String;
    if are_texts || is_list(left) && is_list(right) {
        return join_terms(state, &[left.clone(), right.clone()]);
    }
    Err(impossible("+", left, Some(right)))
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
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
