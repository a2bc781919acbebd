//! Receipt: the right to settle one delivery.

use std::fmt;
use std::sync::Arc;

use super::queues::Queues;
use super::state::{Entry, Message};
use crate::DeadLetter;

/// Says which delivery it is; a stale one settles nothing.
pub(crate) struct Receipt {
    pub(super) queues: Arc<Queues>,
    pub(super) subscription: u64,
    pub(super) tag: u64,
    pub(super) entry: Entry,
}

impl Receipt {
    pub(crate) fn message(&self) -> &Message {
        &self.entry.message
    }

    pub(crate) fn redelivered(&self) -> bool {
        self.entry.returns > 0
    }

    pub(crate) fn dead_letter(&self) -> Option<&DeadLetter> {
        self.entry.dead_letter.as_ref()
    }

    pub(crate) fn ack(self) {
        self.queues.settle(self.subscription, self.tag);
    }

    pub(crate) fn reject(self) {
        if let Some((place, entry)) = self.queues.settle(self.subscription, self.tag) {
            self.queues.bury(&place, entry, "rejected");
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}
