//! Inbox: messages for an execution, on their way in and out.

use gristmill_core::ExecutionId;

/// A message for an execution: a signal, or the end of a child.
#[derive(Debug, Clone)]
pub struct InboxMessage {
    /// Whose inbox.
    pub execution_id: ExecutionId,
    /// Unique within the inbox: the same key twice is one message.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// JSON, as serialized.
    pub body: String,
}

impl InboxMessage {
    /// What the sender of a signal called it.
    pub(crate) fn signal(&self) -> &str {
        self.name.strip_prefix("signal:").unwrap_or(&self.name)
    }
}

/// What became of an [`InboxMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// In the inbox.
    Yes,
    /// In the inbox already.
    Known,
    /// The key was used before, for a message of another name or body: nothing was changed.
    KeyReused,
    /// The tenant has no such execution.
    UnknownExecution,
    /// The execution has ended.
    Ended,
    /// The inbox holds as many as it may.
    Full,
}

/// A message in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its number within the inbox; the first is 1.
    pub seq: i64,
    /// What it is called.
    pub name: String,
    /// JSON, as serialized.
    pub body: String,
}
