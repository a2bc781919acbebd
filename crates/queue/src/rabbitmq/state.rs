//! The publisher's state, told to whoever watches it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::{Lane, PublisherLink, PublisherState};

#[derive(Clone)]
pub(super) struct State(Arc<watch::Sender<PublisherState>>);

impl State {
    pub(super) fn new() -> Self {
        let state = PublisherState {
            link: PublisherLink::Disconnected,
            created: BTreeMap::new(),
        };
        Self(Arc::new(watch::Sender::new(state)))
    }

    pub(super) fn watch(&self) -> watch::Receiver<PublisherState> {
        self.0.subscribe()
    }

    pub(super) fn set_link(&self, link: PublisherLink) {
        self.0
            .send_if_modified(|state| std::mem::replace(&mut state.link, link) != link);
    }

    pub(super) fn is_disconnected(&self) -> bool {
        self.0.borrow().link == PublisherLink::Disconnected
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.0.borrow().link == PublisherLink::Blocked
    }

    /// Notes lanes whose queues were missing.
    pub(super) fn created(&self, lanes: Vec<Lane>) {
        if lanes.is_empty() {
            return;
        }
        tracing::info!(?lanes, "created queues that were missing on RabbitMQ");
        self.0.send_modify(|state| {
            for lane in lanes {
                *state.created.entry(lane).or_default() += 1;
            }
        });
    }
}
