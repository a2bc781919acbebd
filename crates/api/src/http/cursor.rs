//! The cursor: where a list goes on, as clients are given it: opaque to them, and checked when it comes back.

use std::str::FromStr;

use chrono::DateTime;
use gristmill_core::{AuditEntryId, ExecutionId};
use gristmill_store::Cursor;

/// So that a later form can be told apart.
const VERSION: &str = "1";

/// The end of the year 9999, in microseconds: no database keeps a later moment.
const LAST: i64 = 253_402_300_799_999_999;

/// An id that cursors are made of.
pub(crate) trait Id: AsRef<str> + FromStr {
    /// What every one begins with, and a cursor leaves out.
    const PREFIX: &'static str;
}

impl Id for ExecutionId {
    const PREFIX: &'static str = Self::PREFIX;
}

impl Id for AuditEntryId {
    const PREFIX: &'static str = Self::PREFIX;
}

/// Writes a cursor: the microsecond and the id without its prefix.
pub(crate) fn write<I: Id>(cursor: &Cursor<I>) -> String {
    let id = cursor.id.as_ref();
    let id = id.strip_prefix(I::PREFIX).unwrap_or(id);
    format!("{VERSION}-{:x}-{id}", cursor.created_at.timestamp_micros())
}

/// Reads it back; `None` when it was never given out.
pub(crate) fn read<I: Id>(text: &str) -> Option<Cursor<I>> {
    let (micros, id) = text.strip_prefix(VERSION)?.strip_prefix('-')?.split_once('-')?;
    let micros = i64::from_str_radix(micros, 16)
        .ok()
        .filter(|micros| (0..=LAST).contains(micros))?;
    let cursor = Cursor {
        created_at: DateTime::from_timestamp_micros(micros)?,
        id: format!("{}{id}", I::PREFIX).parse().ok()?,
    };
    // Leading zeros and signs.
    (write(&cursor) == text).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_has_the_same_form() {
        let cursor = Cursor {
            created_at: DateTime::from_timestamp_micros(1_764_000_000_123_456).unwrap(),
            id: "audit_0a1b".parse::<AuditEntryId>().unwrap(),
        };
        assert_eq!(write(&cursor), "1-6445941642240-0a1b");
        assert_eq!(read("1-6445941642240-0a1b"), Some(cursor));
        assert_eq!(read::<AuditEntryId>("1764000000123456-audit_0a1b"), None);
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_nothing_else_is_one() {
        let cursor = Cursor {
            created_at: DateTime::from_timestamp_micros(1_764_000_000_123_456).unwrap(),
            id: ExecutionId::new(),
        };
        let text = write(&cursor);
        assert_eq!(read(&text), Some(cursor));
        let (rest, id) = text.rsplit_once('-').unwrap();
        for other in [
            "",
            "1",
            "1-",
            "1-1-",
            &text[1..],
            &format!("2{}", &text[1..]),
            &format!("{rest}-"),
            &format!("{rest}-{id}!"),
            &format!("1--1-{id}"),
            &format!("1-+1-{id}"),
            &format!("1-01-{id}"),
            &format!("1-7fffffffffffffff-{id}"),
        ] {
            assert_eq!(read::<ExecutionId>(other), None, "{other}");
        }
    }
}
