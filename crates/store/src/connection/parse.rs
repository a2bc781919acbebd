//! Parse: stored text back into what it was made from.

use std::str::FromStr;

use crate::Error;

/// Reads an id or a status out of a row. `what` names it in the error, which means that somebody else wrote the row.
pub(crate) fn parse<T>(what: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|source: T::Err| Error::Corrupt {
        what,
        source: Box::new(source),
    })
}
