//! State: the publisher's state, told to whoever watches it.

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

    /// Notes a lane whose queue was missing.
    pub(super) fn created(&self, lane: &Lane) {
        tracing::info!(%lane, "the lane's queue is missing on RabbitMQ; creating it");
        self.0
            .send_modify(|state| *state.created.entry(lane.clone()).or_default() += 1);
    }
}
