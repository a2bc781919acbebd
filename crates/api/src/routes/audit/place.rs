//! The cursor: where the last entry stands that a page has looked at, as text.

use chrono::{DateTime, Datelike};
use gristmill_store::AuditPlace;

/// `<microseconds since 1970>-<the entry's id>`; for clients it is a text without meaning.
pub(super) fn write(place: &AuditPlace) -> String {
    format!("{}-{}", place.created_at.timestamp_micros(), place.id)
}

/// The place that was written; `None` when somebody else wrote it.
pub(super) fn read(text: &str) -> Option<AuditPlace> {
    let (micros, id) = text.split_once('-')?;
    let created_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
    let id = id.parse().ok()?;
    // No database keeps a later time.
    (1970..=9999)
        .contains(&created_at.year())
        .then_some(AuditPlace { created_at, id })
}
