//! What an execution needs of whoever holds it: a journal, an inbox, and a way to start other executions.

use std::future::Future;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionId, WorkflowId};
use serde_json::{Map, Value};

use crate::NodeFailure;

/// The journal and the inbox of one execution, held under a lease.
pub trait Journal: Send {
    /// Commits `entries` together, behind those that are there. Whatever happens next depends on it.
    ///
    /// # Errors
    /// When the lease is lost, or may be: nothing may be written or begun under it any more.
    fn append(&mut self, entries: Vec<Entry>) -> impl Future<Output = Result<(), LeaseLost>> + Send;

    /// The messages whose numbers are above `after`, oldest first; 0 asks for all of them. Asked for at the beginning when the
    /// control tells of an inbox that is not empty, and whenever it tells of a fuller one.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    fn inbox(&mut self, after: i64) -> impl Future<Output = Result<Vec<InboxMessage>, LeaseLost>> + Send;

    /// Starts child executions, each exactly once: a request that is repeated under its key, after a crash, is answered with
    /// the child that there is. One answer for each request, in the same order; a request that cannot be met is the failure
    /// of its node: `child_depth`, `unknown_workflow`, `inactive_workflow`, ….
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> impl Future<Output = Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost>> + Send;

    /// Commits `entries` and lets go of the execution until `wake_at` (database time in milliseconds) or a message, in one
    /// transaction, unless there are other messages by now than the `inbox` of the last control that was followed: then nothing is
    /// changed, and the driver folds what came.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    fn suspend(
        &mut self,
        entries: &[Entry],
        wake_at: Option<i64>,
        inbox: i32,
    ) -> impl Future<Output = Result<Suspension, LeaseLost>> + Send;
}

/// A message in the inbox: a signal, or the end of a child.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxMessage {
    /// Its number within the inbox; the first is 1.
    pub seq: i64,
    /// `signal:<name>`, or `child:<execution id>`.
    pub name: String,
    /// A signal's payload: an object, or null. A child's end: `{"status", "output"?, "error"?}`.
    pub body: Value,
}

/// A child execution that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRequest {
    /// Which node run asks; from the second attempt on with the attempt's number behind it: `sub#2`.
    pub path: String,
    /// The workflow to run, at its newest revision.
    pub workflow_id: WorkflowId,
    /// The child's input.
    pub input: Map<String, Value>,
    /// Unique for this parent and path: `<execution>:<path>`. An operator's retry has keys of its own.
    pub key: String,
}

/// What became of a wish to let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspension {
    /// The execution waits, and is nobody's now.
    Done,
    /// A message has arrived. Nothing was changed; this is how full the inbox is now.
    MessageArrived {
        /// How many messages have ever arrived.
        inbox: i32,
    },
}

/// The execution belongs to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease on the execution is lost")]
pub struct LeaseLost;

/// A journal in memory, for executions that need not outlive their process. Nobody writes to them, and they have no
/// children.
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

    async fn inbox(&mut self, _after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        Ok(Vec::new())
    }

    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        let refuse = |_| {
            Err(NodeFailure::last(
                "no_children",
                "an execution in memory starts no others",
            ))
        };
        Ok(children.into_iter().map(refuse).collect())
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        _wake_at: Option<i64>,
        _inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        self.commits += 1;
        self.entries.extend_from_slice(entries);
        Ok(Suspension::Done)
    }
}
