//! Queues: all queues, under one lock, and a bell for those who wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::receipt::Receipt;
use super::state::{Entry, Place, State};
use crate::{Error, InProcessOptions, Lane, Outgoing, Published};

pub(super) struct Queues {
    options: InProcessOptions,
    state: Mutex<State>,
    /// Something may be there to take now: a message, a free place in a prefetch, or the end.
    changed: Notify,
}

impl Queues {
    pub(super) fn new(options: InProcessOptions) -> Self {
        let state = Mutex::new(State::new(&options));
        Self {
            options,
            state,
            changed: Notify::new(),
        }
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.lock().closed {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    pub(super) fn depth(&self, lane: &Lane) -> Result<u64, Error> {
        match self.lock().waiting.get(&Place::Lane(lane.clone())) {
            Some(queue) => Ok(queue.len() as u64),
            None => Err(Error::UnknownLane(lane.clone())),
        }
    }

    pub(super) fn push(&self, jobs: &[Outgoing]) -> Vec<Published> {
        let mut state = self.lock();
        let outcomes = jobs
            .iter()
            .map(|outgoing| state.push(outgoing, self.options.capacity))
            .collect();
        drop(state);
        self.changed.notify_waiters();
        outcomes
    }

    pub(super) fn new_subscription(&self) -> u64 {
        self.lock().next()
    }

    /// The next message of these places, in turn, for a subscription with room for it. `None` when all is closed.
    pub(super) async fn take(
        self: &Arc<Self>,
        subscription: u64,
        places: &mut [Place],
        prefetch: usize,
    ) -> Option<Receipt> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before looking: what changes between the look and the wait must not be missed.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                for turn in 0..places.len() {
                    if let Some((tag, entry)) = state.deliver(subscription, &places[turn], prefetch) {
                        // The lane that was served waits for the others.
                        places[turn..].rotate_left(1);
                        return Some(Receipt {
                            queues: self.clone(),
                            subscription,
                            tag,
                            entry,
                        });
                    }
                }
            }
            changed.await;
        }
    }

    /// Gives back what a subscription has not settled.
    pub(super) fn release(&self, subscription: u64) {
        let mut state = self.lock();
        for (place, entry) in state
            .unsettled
            .remove(&subscription)
            .unwrap_or_default()
            .into_values()
            .rev()
        {
            state.give_back(place, entry, self.options.delivery_limit);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Ends a delivery; `None` when it is stale.
    pub(super) fn settle(&self, subscription: u64, tag: u64) -> Option<(Place, Entry)> {
        let settled = self.lock().unsettled.get_mut(&subscription)?.remove(&tag);
        self.changed.notify_waiters();
        settled
    }

    pub(super) fn bury(&self, place: &Place, entry: Entry, reason: &str) {
        self.lock().bury(place, entry, reason);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
