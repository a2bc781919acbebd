//! Values: values on their way into statements and out of rows.

use std::time::Duration;

use serde::Serialize;

use crate::Error;

/// Longer than anybody waits, and far from the end of the clock's range: a hundred years.
const LONGEST: i64 = 100 * 365 * 24 * 3600 * 1_000_000;

/// A list as the one parameter of `json_each`.
pub(crate) fn list<T: Serialize>(items: &[T]) -> Result<String, Error> {
    serde_json::to_string(items).map_err(|source| Error::Corrupt {
        what: "list of parameters",
        source: Box::new(source),
    })
}

/// A length of time in the clock's unit.
pub(crate) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(LONGEST).min(LONGEST)
}

/// A length of time measured by the clock; none when it was turned back.
pub(crate) fn length(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
