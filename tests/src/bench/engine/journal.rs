//! A journal in memory, as bytes: what a worker hands to the database.

use gristmill_core::ExecutionId;
use gristmill_core::journal::Entry;
use gristmill_engine::{ChildRequest, InboxMessage, Journal, LeaseLost, NodeFailure, Suspension};

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

    async fn inbox(&mut self, _after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        Ok(Vec::new())
    }

    /// None of the measured shapes has a child.
    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        let refuse = |_| Err(NodeFailure::last("no_children", "the benchmark starts no others"));
        Ok(children.into_iter().map(refuse).collect())
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        _wake_at: Option<i64>,
        _inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        self.write(entries).map_err(|_| LeaseLost)?;
        Ok(Suspension::Done)
    }
}
