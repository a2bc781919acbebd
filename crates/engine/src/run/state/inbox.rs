//! Inbox: messages that nobody has consumed, and node runs that wait for some.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use gristmill_core::journal::WaitsFor;
use serde_json::Value;

use crate::InboxMessage;

use super::ready::Turn;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// By name, oldest first.
    unread: HashMap<String, VecDeque<(i64, Value)>>,
    consumed: HashSet<i64>,
    /// By the name of what they wait for.
    waiting: HashMap<String, BTreeSet<Turn>>,
    /// Names under which there may be both messages and somebody who waits for it.
    matched: Vec<String>,
    /// The highest number that was ever received.
    last: i64,
}

/// The name of the message that ends such a wait.
pub(super) fn name_of(on: &WaitsFor) -> Option<String> {
    match on {
        WaitsFor::Timer => None,
        WaitsFor::Signal { name } => Some(format!("signal:{name}")),
        WaitsFor::Child { execution_id } => Some(format!("child:{execution_id}")),
    }
}

impl Inbox {
    /// The highest number that was ever received; 0 at first.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn receive(&mut self, messages: Vec<InboxMessage>) {
        for InboxMessage { seq, name, body } in messages {
            self.last = self.last.max(seq);
            if self.consumed.contains(&seq) {
                continue;
            }
            self.matched.push(name.clone());
            self.unread.entry(name).or_default().push_back((seq, body));
        }
    }

    pub(super) fn wait(&mut self, name: String, turn: Turn) {
        self.waiting.entry(name.clone()).or_default().insert(turn);
        self.matched.push(name);
    }

    pub(super) fn leave(&mut self, name: &str, turn: Turn) {
        if let Some(waiting) = self.waiting.get_mut(name) {
            waiting.remove(&turn);
            if waiting.is_empty() {
                self.waiting.remove(name);
            }
        }
    }

    /// The journal says that this message was consumed.
    pub(super) fn consume(&mut self, seq: i64) {
        self.consumed.insert(seq);
    }

    /// The next node run that gets a message, and the number of that: the first of those that wait gets the oldest. It stays the
    /// next until one of the two is gone.
    pub(super) fn next(&mut self) -> Option<(u32, i64)> {
        while let Some(name) = self.matched.last() {
            if let Some(unread) = self.unread.get_mut(name) {
                while unread.front().is_some_and(|(seq, _)| self.consumed.contains(seq)) {
                    unread.pop_front();
                }
                if let (Some((seq, _)), Some(waiting)) = (unread.front(), self.waiting.get(name))
                    && let Some(turn) = waiting.first()
                {
                    return Some((turn.run(), *seq));
                }
            }
            self.matched.pop();
        }
        None
    }

    /// What is written in the oldest unread message of this name, which has this number.
    pub(super) fn body(&self, name: &str, seq: i64) -> Option<&Value> {
        let unread = self.unread.get(name)?;
        unread
            .iter()
            .find(|(known, _)| *known == seq)
            .map(|(_, body)| body)
    }
}
