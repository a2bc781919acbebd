//! Storable values: what an entry can hold. All that is written has to be read back, or the execution ends where it was
//! written: the reader gives up on what is nested 128 deep, and takes one key for its own.

use serde_json::Value;

/// The deepest nesting of a value in an entry; an array or object of scalars is nested once. Far enough below what the
/// reader bears for everything that values are put into: entries, messages, results.
pub const MAX_DEPTH: usize = 100;

/// The key by which `serde_json` tells text that is to be parsed again. As the first key of an object it would not come
/// back from the journal as what it was.
pub const RESERVED_KEY: &str = "$serde_json::private::RawValue";

/// Why a value cannot be journalled or handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It could not be read back.
    #[error("is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// It might be read back as something else.
    #[error("has the key `{RESERVED_KEY}`, which is reserved")]
    ReservedKey,
}

/// Whether an entry can hold `value`.
///
/// # Errors
/// When it could not be read back as it is.
pub fn check_value(value: &Value) -> Result<(), NotKept> {
    check(value, MAX_DEPTH)
}

/// Whether an entry can hold an object of `members`.
///
/// # Errors
/// As for [`check_value`].
pub fn check_members<'a>(
    members: impl IntoIterator<Item = (impl AsRef<str>, &'a Value)>,
) -> Result<(), NotKept> {
    check_object(members, MAX_DEPTH)
}

/// `levels` is how many are left; recursion goes no deeper.
fn check(value: &Value, levels: usize) -> Result<(), NotKept> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => {
            let left = levels.checked_sub(1).ok_or(NotKept::TooDeep)?;
            items.iter().try_for_each(|item| check(item, left))
        }
        Value::Object(members) => check_object(members, levels),
    }
}

fn check_object<'a>(
    members: impl IntoIterator<Item = (impl AsRef<str>, &'a Value)>,
    levels: usize,
) -> Result<(), NotKept> {
    let left = levels.checked_sub(1).ok_or(NotKept::TooDeep)?;
    for (key, value) in members {
        if key.as_ref() == RESERVED_KEY {
            return Err(NotKept::ReservedKey);
        }
        check(value, left)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{AfterFailure, Entry, FORMAT, NodeError, read_chunk, write_chunk};
    use serde_json::{Map, json};

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, level| {
            if level % 2 == 0 {
                json!([inner])
            } else {
                json!({"k": inner})
            }
        })
    }

    #[test]
    fn the_deepest_that_is_kept_can_be_read_back_wherever_it_stands() {
        let deepest = nested(MAX_DEPTH);
        assert_eq!(check_value(&deepest), Ok(()));
        assert_eq!(check_value(&nested(MAX_DEPTH + 1)), Err(NotKept::TooDeep));
        assert_eq!(check_value(&nested(1_000)), Err(NotKept::TooDeep));
        let members = Map::from_iter([("x".to_owned(), nested(MAX_DEPTH - 1))]);
        assert_eq!(check_members(&members), Ok(()));
        assert_eq!(check_members([("x", &deepest)]), Err(NotKept::TooDeep));
        let mut error = NodeError::new("e", "");
        error.details = members.clone();
        let entries = [
            Entry::Completed {
                path: "a".into(),
                at: 0,
                duration_ms: 0,
                output: members.into(),
                handle: None,
                usage: None,
                mail: None,
            },
            Entry::Expanded {
                path: "a".into(),
                at: 0,
                items: vec![nested(MAX_DEPTH - 1)].into(),
            },
            Entry::Failed {
                path: "a".into(),
                at: 0,
                duration_ms: 0,
                attempts: 1,
                error: error.into(),
                then: AfterFailure::Fail,
                usage: None,
                mail: None,
            },
        ];
        assert_eq!(
            read_chunk(FORMAT, &write_chunk(&entries).unwrap()).unwrap(),
            entries
        );
    }

    #[test]
    fn the_reserved_key_is_refused_wherever_it_stands() {
        for value in [
            json!({RESERVED_KEY: 1}),
            json!([{"a": {"b": 1, RESERVED_KEY: "x"}}]),
        ] {
            assert_eq!(check_value(&value), Err(NotKept::ReservedKey));
        }
        assert_eq!(
            check_members([(RESERVED_KEY, &json!(1))]),
            Err(NotKept::ReservedKey)
        );
        assert_eq!(check_value(&json!({"k": RESERVED_KEY})), Ok(()));
    }

    /// Otherwise nothing would have to be refused.
    #[test]
    fn the_reader_takes_the_reserved_key_for_its_own() {
        let read = |text: &str| serde_json::from_str::<Value>(text);
        assert_eq!(
            read(&json!({RESERVED_KEY: "[1]"}).to_string()).unwrap(),
            json!([1])
        );
        read(&json!({RESERVED_KEY: "oops"}).to_string()).unwrap_err();
    }
}
