//! What waits and what is delivered and not settled: a message is always in exactly one place.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::{DeadLetter, InProcessOptions, Lane, Outgoing, Published};

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Lane(Lane),
    Dead,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) body: Vec<u8>,
    pub(crate) message_id: String,
}

/// A message in a queue, or on its way back to one.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) message: Arc<Message>,
    /// How often it came back.
    pub(super) returns: u32,
    pub(super) dead_letter: Option<DeadLetter>,
}

pub(super) struct State {
    pub(super) waiting: HashMap<Place, VecDeque<Entry>>,
    /// By subscription, then by tag: in the order of delivery.
    pub(super) unsettled: HashMap<u64, BTreeMap<u64, (Place, Entry)>>,
    /// The last number given to a subscription, a delivery or a message.
    last: u64,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn new(options: &InProcessOptions) -> Self {
        let places = options
            .lanes
            .iter()
            .cloned()
            .map(Place::Lane)
            .chain([Place::Dead]);
        let waiting = places.map(|place| (place, VecDeque::new())).collect();
        Self {
            waiting,
            unsettled: HashMap::new(),
            last: 0,
            closed: false,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn push(&mut self, outgoing: &Outgoing, capacity: usize) -> Published {
        let number = self.next();
        let Some(queue) = self.waiting.get_mut(&Place::Lane(outgoing.lane.clone())) else {
            return Published::Unroutable;
        };
        if queue.len() >= capacity {
            return Published::Refused;
        }
        let message = Arc::new(Message {
            body: outgoing.job.to_bytes(),
            message_id: format!(
                "{}.{}.{number:x}",
                outgoing.job.execution_id, outgoing.job.attempt
            ),
        });
        queue.push_back(Entry {
            message,
            returns: 0,
            dead_letter: None,
        });
        Published::Confirmed
    }

    pub(super) fn deliver(
        &mut self,
        subscription: u64,
        place: &Place,
        prefetch: usize,
    ) -> Option<(u64, Entry)> {
        let tag = self.next();
        let unsettled = self.unsettled.entry(subscription).or_default();
        if unsettled.values().filter(|(from, _)| from == place).count() >= prefetch {
            return None;
        }
        let entry = self.waiting.get_mut(place)?.pop_front()?;
        unsettled.insert(tag, (place.clone(), entry.clone()));
        Some((tag, entry))
    }

    /// To the front, where it was; or to the dead letters when that has happened too often.
    pub(super) fn give_back(&mut self, place: Place, mut entry: Entry, limit: u32) {
        entry.returns += 1;
        if entry.returns > limit {
            self.bury(&place, entry, "delivery_limit");
        } else if let Some(queue) = self.waiting.get_mut(&place) {
            queue.push_front(entry);
        }
    }

    pub(super) fn bury(&mut self, place: &Place, mut entry: Entry, reason: &str) {
        let Place::Lane(lane) = place else {
            // Nobody could look at a parked message in here, so the log keeps it.
            let body = String::from_utf8_lossy(&entry.message.body);
            tracing::error!(message_id = entry.message.message_id, %body, "a dead letter makes no sense");
            return;
        };
        entry.returns = 0;
        entry.dead_letter = Some(DeadLetter {
            reason: reason.to_owned(),
            queue: lane.to_string(),
        });
        if let Some(dead) = self.waiting.get_mut(&Place::Dead) {
            dead.push_back(entry);
        }
    }
}
