//! Filters of ours, and those of the library that call others for each item.

use chrono::{DateTime, SecondsFormat, Utc};
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::environment::too_long;
use super::meter;
use crate::value::MAX_RESULT_BYTES;

/// `date`: a time as milliseconds since 1970, from such a number or from an RFC 3339 text. So that times can be compared,
/// added to and subtracted.
pub(super) fn date(value: &Value) -> Result<i64, Error> {
    time(value).map(|time| time.timestamp_millis())
}

/// `datefmt`: a time as text: RFC 3339 in UTC, or as a format such as `"%d.%m.%Y"` says.
pub(super) fn date_format(value: &Value, format: Option<&str>) -> Result<String, Error> {
    let time = time(value)?;
    let Some(format) = format else {
        return Ok(time.to_rfc3339_opts(SecondsFormat::Millis, true));
    };
    let items: Vec<_> = chrono::format::StrftimeItems::new(format).collect();
    if format.len() > 100 || items.contains(&chrono::format::Item::Error) {
        return Err(invalid(
            "datefmt: the format is not like \"%Y-%m-%d\", or too long",
        ));
    }
    Ok(time.format_with_items(items.into_iter()).to_string())
}

fn time(value: &Value) -> Result<DateTime<Utc>, Error> {
    let time = match value.kind() {
        ValueKind::Number => i64::try_from(value.clone())
            .ok()
            .and_then(DateTime::from_timestamp_millis),
        ValueKind::String => DateTime::parse_from_rfc3339(value.as_str().unwrap_or_default().trim())
            .ok()
            .map(|time| time.to_utc()),
        _ => None,
    };
    time.ok_or_else(|| invalid("not a time like 2026-03-01T08:00:00Z, nor milliseconds since 1970"))
}

/// `join` repeats its separator, so that the length is checked before anything is made.
pub(super) fn check_join(args: &[Value]) -> Result<(), Error> {
    let separator = args.get(1).and_then(Value::as_str).map_or(0, str::len);
    let items = args.first().and_then(Value::len).unwrap_or_default();
    if items.saturating_mul(separator) > MAX_RESULT_BYTES {
        return Err(too_long());
    }
    Ok(())
}

/// Whether `map` is given the name of a filter, and not an attribute.
pub(super) fn names_a_filter(args: &[Value]) -> bool {
    args.get(1).is_some_and(|name| name.as_str().is_some())
}

/// `map`: what a filter makes of each item. Every call pays for itself.
pub(super) fn map(state: &mut State, args: &[Value]) -> Result<Value, Error> {
    let [items, name, more @ ..] = args else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    let name = name.as_str().unwrap_or_default();
    let mut mapped = Vec::new();
    for item in items.try_iter()? {
        let call = [std::slice::from_ref(&item), more].concat();
        meter::pay(state, &call)?;
        mapped.push(state.apply_filter(name, &call)?);
    }
    Ok(Value::from(mapped))
}

/// `select` and `reject`: the items for which a test is, or is not, true. Every test pays for itself.
pub(super) fn choose(state: &mut State, args: &[Value], wanted: bool) -> Result<Value, Error> {
    let (items, test) = match args {
        [] => return Err(Error::from(ErrorKind::MissingArgument)),
        [items, test @ ..] => (items, test),
    };
    let mut chosen = Vec::new();
    for item in items.try_iter()? {
        let answer = match test {
            [] => item.is_true(),
            [name, more @ ..] => {
                let call = [std::slice::from_ref(&item), more].concat();
                meter::pay(state, &call)?;
                state.perform_test(name.as_str().unwrap_or_default(), &call)?
            }
        };
        if answer == wanted {
            chosen.push(item);
        }
    }
    Ok(Value::from(chosen))
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
