//! Helpers: filters of ours, and those of the library that call others for each item.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::limits::too_long;
use super::{meter, operators};
use crate::language::value::MAX_RESULT_BYTES;

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
    let mut text = String::new();
    // What can only be read, such as `%#z`, shows when it is written.
    write!(text, "{}", time.format_with_items(items.into_iter()))
        .map_err(|_| invalid("datefmt: the format has something that cannot be written"))?;
    Ok(text)
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

/// `join` repeats its separator and writes its items, so that the length is found before anything is made.
pub(super) fn check_join(args: &[Value]) -> Result<(), Error> {
    let (items, separator, path, kwargs): (Value, Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    let separator = separator.or(kwargs.get("d")?).unwrap_or_else(|| Value::from(""));
    let path = path.or(kwargs.get("attribute")?);
    let separator = meter::text_length(&separator, MAX_RESULT_BYTES)?;
    let mut left = MAX_RESULT_BYTES;
    for (place, item) in items.try_iter().into_iter().flatten().enumerate() {
        if place > 0 {
            left = left.checked_sub(separator).ok_or_else(too_long)?;
        }
        let item = match path.as_ref().and_then(Value::as_str) {
            Some(path) => attribute(&item, path).unwrap_or_default(),
            None => item,
        };
        left -= meter::text_length(&item, left)?;
    }
    Ok(())
}

/// The attribute of each item that is all that a filter looks at, when it is given the name of one.
pub(super) fn attributes(filter: &str, args: &[Value]) -> Result<Option<Vec<Value>>, Error> {
    let place = match filter {
        "max" | "min" | "sort" | "unique" => None,
        "groupby" => Some(1),
        "join" => Some(2),
        _ => return Ok(None),
    };
    let positional = place
        .and_then(|place| args.get(place))
        .filter(|path| !path.is_kwargs());
    let named = args.last().filter(|last| last.is_kwargs());
    let path = match (positional, named) {
        (Some(path), _) => path.clone(),
        (None, Some(kwargs)) => kwargs.get_attr("attribute")?,
        (None, None) => return Ok(None),
    };
    let (Some(items), Some(path)) = (args.first(), path.as_str()) else {
        return Ok(None);
    };
    // `sort` may be given several.
    if path.contains(',') {
        return Ok(None);
    }
    let items = items.try_iter().into_iter().flatten();
    Ok(Some(
        items
            .map(|item| attribute(&item, path).unwrap_or_default())
            .collect(),
    ))
}

/// Pays for long names of attributes, which are read again for each item.
pub(super) fn pay_paths(state: &mut State, args: &[Value]) -> Result<(), Error> {
    let [items, names @ ..] = args else { return Ok(()) };
    // A text has a length as well, but nothing has attributes in it.
    let (ValueKind::Seq | ValueKind::Iterable, Some(count)) = (items.kind(), items.len()) else {
        return Ok(());
    };
    let mut cost = 0;
    for name in names {
        if let Some(name) = name.as_str() {
            cost += meter::pieces(name);
        } else if name.is_kwargs() {
            cost += meter::pieces_beside(state, &name.get_attr("attribute")?);
        }
    }
    match cost {
        0 => Ok(()),
        cost => meter::spend(state, cost.saturating_mul(count as u64)),
    }
}

/// `sum` of texts and lists, to which another `start` leads, in one go rather than each to what the others before it came
/// to; `None` for numbers, which the library adds.
pub(super) fn sum(state: &mut State, args: &[Value]) -> Result<Option<Value>, Error> {
    let (items, path, start, kwargs): (Value, Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    let start = start.or(kwargs.get("start")?);
    let is_long = |start: &Value| {
        matches!(
            start.kind(),
            ValueKind::String | ValueKind::Seq | ValueKind::Iterable
        )
    };
    let Some(start) = start.filter(is_long).filter(|_| !items.is_undefined()) else {
        return Ok(None);
    };
    let path = path.or(kwargs.get("attribute")?);
    kwargs.assert_all_used()?;
    let mut terms = vec![start];
    for item in items.try_iter()? {
        let item = match path.as_ref().and_then(Value::as_str) {
            Some(path) => attribute(&item, path).unwrap_or_default(),
            None => item,
        };
        if !item.is_undefined() {
            terms.push(item);
        }
    }
    operators::join_terms(state, &terms).map(Some)
}

/// What stands at `path` in `value`: `customer.name`, `0`.
fn attribute(value: &Value, path: &str) -> Result<Value, Error> {
    path.split('.')
        .try_fold(value.clone(), |value, part| match part.parse() {
            Ok(place) => value.get_item_by_index(place),
            Err(_) => value.get_attr(part),
        })
}

/// Whether `map` is given the name of a filter, and not an attribute.
pub(super) fn names_a_filter(args: &[Value]) -> bool {
    args.get(1).is_some_and(|name| name.as_str().is_some())
}

/// `map`: what a filter makes of each item. Every call pays for itself, and for being one.
pub(super) fn map(state: &mut State, args: &[Value]) -> Result<Value, Error> {
    let [items, name, more @ ..] = args else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    let name = name.as_str().unwrap_or_default();
    let mut mapped = Vec::new();
    for item in items.try_iter()? {
        let call = [std::slice::from_ref(&item), more].concat();
        meter::spend(state, 1)?;
        mapped.push(state.apply_filter(name, &call)?);
    }
    Ok(Value::from(mapped))
}

/// `select` and its kin: the items for which a test, of themselves or of an attribute, is or is not true. Every test pays for
/// itself.
pub(super) fn choose(
    state: &mut State,
    args: &[Value],
    by_attribute: bool,
    wanted: bool,
) -> Result<Value, Error> {
    let (items, path, test) = match args {
        [items, path, test @ ..] if by_attribute => (items, path.as_str(), test),
        [items, test @ ..] if !by_attribute => (items, None, test),
        _ => return Err(Error::from(ErrorKind::MissingArgument)),
    };
    if by_attribute && path.is_none() {
        return Err(invalid("the name of an attribute is a text"));
    }
    if items.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let cost = 1 + path.map_or(0, meter::pieces);
    let mut chosen = Vec::new();
    for item in items.try_iter()? {
        meter::spend(state, cost)?;
        let tested = match path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let answer = match test {
            [] => tested.is_true(),
            [name, more @ ..] => {
                let call = [&[tested], more].concat();
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
