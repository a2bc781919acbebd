//! A journal in memory, as bytes: what a worker hands to the database.

use gristmill_core::journal::Entry;
use gristmill_engine::{Journal, LeaseLost};

/// Every commit's entries, serialized.
#[derive(Default)]
pub(super) struct SerializedJournal(Vec<String>);

impl SerializedJournal {
    pub(super) fn write(&mut self, entries: &[Entry]) -> serde_json::Result<()> {
        self.0.push(serde_json::to_string(entries)?);
        Ok(())
    }
}

impl Journal for SerializedJournal {
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        self.write(&entries).map_err(|_| LeaseLost)
    }
}
