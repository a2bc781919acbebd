//! Journal: journals as the API shows them.

use gristmill_core::journal::Entry;
use serde::{Deserialize, Serialize};

/// Something that happened inside an execution, with its place in the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The first is 0.
    pub seq: u32,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A stretch of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalPage {
    /// Oldest first.
    pub entries: Vec<JournalEntry>,
    /// What the next page comes after; `None` at the journal's present end.
    pub next: Option<u32>,
}
