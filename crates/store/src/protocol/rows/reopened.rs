//! Reopened: what an operator's retry leaves in the journal.

use gristmill_core::journal::{Entry, write_chunk};

use crate::Error;
use crate::connection::sql_types::Timestamp;

/// The chunk that says that a failed execution goes on.
pub(crate) fn reopened(now: Timestamp) -> Result<String, Error> {
    let entry = Entry::Reopened {
        at: now.0.timestamp_millis(),
        resume_at: None,
    };
    write_chunk(&[entry]).map_err(|source| Error::Corrupt {
        what: "journal entry",
        source: Box::new(source),
    })
}
