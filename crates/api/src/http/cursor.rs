//! Where a list of executions goes on, as clients are given it: opaque to them, and checked when it comes back.

use chrono::DateTime;
use gristmill_core::ExecutionId;
use gristmill_store::Position;

/// So that a later form can be told apart.
const VERSION: &str = "1";

/// Writes a position: the microsecond and the id without its prefix.
pub(crate) fn write(position: &Position) -> String {
    let id = position.id.as_str();
    let id = id.strip_prefix(ExecutionId::PREFIX).unwrap_or(id);
    format!("{VERSION}-{:x}-{id}", position.created_at.timestamp_micros())
}

/// Reads it back.
pub(crate) fn read(text: &str) -> Option<Position> {
    let (micros, id) = text.strip_prefix(VERSION)?.strip_prefix('-')?.split_once('-')?;
    let micros = i64::from_str_radix(micros, 16)
        .ok()
        .filter(|micros| *micros >= 0)?;
    let position = Position {
        created_at: DateTime::from_timestamp_micros(micros)?,
        id: format!("{}{id}", ExecutionId::PREFIX).parse().ok()?,
    };
    // Leading zeros, signs, moments that no database can keep: whatever was never given out.
    (write(&position) == text && micros <= LAST).then_some(position)
}

/// The end of the year 9999.
const LAST: i64 = 253_402_300_799_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_nothing_else_is_one() {
        let position = Position {
            created_at: DateTime::from_timestamp_micros(1_764_000_000_123_456).unwrap(),
            id: ExecutionId::new(),
        };
        let text = write(&position);
        assert_eq!(read(&text), Some(position));
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
            assert_eq!(read(other), None, "{other}");
        }
    }
}
