//! Value: between JSON and what expressions compute with. Whole numbers stay whole and others stay as they are; what JSON
//! cannot hold is an error, never a `null`.

use minijinja::Value;
use minijinja::value::{Serde, ValueKind};
use serde_json::{Map, Number, Value as Json};

/// The longest result of one expression or template, in bytes of JSON.
pub(crate) const MAX_RESULT_BYTES: usize = 1024 * 1024;

/// The deepest nesting of a result.
const MAX_DEPTH: usize = 64;

/// Why a value cannot leave an expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum NoJson {
    #[error("the value is undefined")]
    Undefined,
    #[error("the result {0} is not a finite number")]
    NotFinite(f64),
    #[error("the result {0} is out of range for a number")]
    OutOfRange(String),
    #[error("a key of the result is {0}, and keys are strings")]
    Key(ValueKind),
    #[error("the result is {0}, which JSON cannot hold")]
    Kind(ValueKind),
    #[error("the result is longer than {MAX_RESULT_BYTES} bytes")]
    TooLong,
    #[error("the result is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("{0}")]
    Invalid(String),
}

/// What an expression sees of a JSON value. A scalar costs nothing; an array or object is copied whole.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => from_number(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(_) | Json::Object(_) => Value::from(Serde(json)),
    }
}

/// The JSON of what an expression came to.
pub(crate) fn to_json(value: &Value) -> Result<Json, NoJson> {
    let mut budget = MAX_RESULT_BYTES;
    convert(value, &mut budget, 0)
}

fn from_number(number: &Number) -> Value {
    if let Some(number) = number.as_i64() {
        Value::from(number)
    } else if let Some(number) = number.as_u64() {
        Value::from(number)
    } else {
        number.as_f64().map_or_else(Value::default, Value::from)
    }
}

fn convert(value: &Value, budget: &mut usize, depth: usize) -> Result<Json, NoJson> {
    if depth > MAX_DEPTH {
        return Err(NoJson::TooDeep);
    }
    spend(budget, 1)?;
    match value.kind() {
        ValueKind::Undefined => Err(NoJson::Undefined),
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::Number => to_number(value).map(Json::Number),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            spend(budget, text.len())?;
            Ok(Json::String(text.to_owned()))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value
                .try_iter()
                .map_err(|error| NoJson::Invalid(error.to_string()))?;
            items
                .map(|item| convert(&item, budget, depth + 1))
                .collect::<Result<_, _>>()
                .map(Json::Array)
        }
        ValueKind::Map => to_object(value, budget, depth),
        ValueKind::Invalid => Err(NoJson::Invalid(value.to_string())),
        kind => Err(NoJson::Kind(kind)),
    }
}

fn to_object(value: &Value, budget: &mut usize, depth: usize) -> Result<Json, NoJson> {
    let keys = value
        .try_iter()
        .map_err(|error| NoJson::Invalid(error.to_string()))?;
    let mut object = Map::new();
    for key in keys {
        let name = key.as_str().ok_or_else(|| NoJson::Key(key.kind()))?;
        spend(budget, name.len())?;
        let member = value
            .get_item(&key)
            .map_err(|error| NoJson::Invalid(error.to_string()))?;
        object.insert(name.to_owned(), convert(&member, budget, depth + 1)?);
    }
    Ok(Json::Object(object))
}

fn to_number(value: &Value) -> Result<Number, NoJson> {
    if value.is_integer() {
        return i64::try_from(value.clone())
            .map(Number::from)
            .or_else(|_| u64::try_from(value.clone()).map(Number::from))
            .map_err(|_| NoJson::OutOfRange(value.to_string()));
    }
    let float = f64::try_from(value.clone()).map_err(|_| NoJson::OutOfRange(value.to_string()))?;
    Number::from_f64(float).ok_or(NoJson::NotFinite(float))
}

fn spend(budget: &mut usize, bytes: usize) -> Result<(), NoJson> {
    *budget = budget.checked_sub(bytes).ok_or(NoJson::TooLong)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_survives_the_way_through_an_expression() {
        let value = json!({"b": [1, 1.0, -3, u64::MAX, 0.1], "a": {"x": null, "y": true, "z": "é\u{0}"}});
        let back = to_json(&from_json(&value)).unwrap();
        assert_eq!(back.to_string(), value.to_string());
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        assert!(matches!(
            to_json(&Value::from(f64::NAN)),
            Err(NoJson::NotFinite(_))
        ));
        assert!(matches!(
            to_json(&Value::from(f64::INFINITY)),
            Err(NoJson::NotFinite(_))
        ));
        assert!(matches!(
            to_json(&Value::from(u128::MAX)),
            Err(NoJson::OutOfRange(_))
        ));
        assert_eq!(to_json(&Value::UNDEFINED), Err(NoJson::Undefined));
        assert_eq!(
            to_json(&Value::from("x".repeat(MAX_RESULT_BYTES + 1))),
            Err(NoJson::TooLong)
        );
    }
}
