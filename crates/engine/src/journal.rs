//! Where entries go.

use std::future::Future;

use gristmill_core::journal::Entry;

/// The journal of one execution, held under a lease.
pub trait Journal: Send {
    /// Commits `entries` together, behind those that are there. Whatever happens next depends on it.
    ///
    /// # Errors
    /// When the lease is lost, or may be: nothing may be written or begun under it any more.
    fn append(&mut self, entries: Vec<Entry>) -> impl Future<Output = Result<(), LeaseLost>> + Send;
}

/// The execution belongs to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease on the execution is lost")]
pub struct LeaseLost;

/// A journal in memory, for executions that need not outlive their process.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    /// Every entry, in the order of the commits.
    pub entries: Vec<Entry>,
    /// How many commits there were.
    pub commits: usize,
}

impl Journal for MemoryJournal {
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        self.commits += 1;
        self.entries.extend(entries);
        Ok(())
    }
}
