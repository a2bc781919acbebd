//! A subscription that takes a message when it is asked for one: nothing is ever prefetched.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

use super::queues::Queues;
use super::state::Place;
use crate::{Delivery, Subscription};

pub(super) struct InProcessSubscription {
    queues: Arc<Queues>,
    id: u64,
    places: Vec<Place>,
    prefetch: usize,
    mode: Mode,
}

enum Mode {
    Consuming,
    Paused,
    Closed,
}

impl InProcessSubscription {
    pub(super) fn new(queues: Arc<Queues>, places: Vec<Place>, prefetch: u16) -> Self {
        let id = queues.new_subscription();
        Self {
            queues,
            id,
            places,
            prefetch: prefetch.into(),
            mode: Mode::Consuming,
        }
    }
}

impl Subscription for InProcessSubscription {
    fn next(&mut self) -> BoxFuture<'_, Option<Delivery>> {
        async {
            match self.mode {
                Mode::Consuming => {
                    let receipt = self.queues.take(self.id, &mut self.places, self.prefetch).await;
                    receipt.map(Delivery::from_receipt)
                }
                Mode::Paused => future::pending().await,
                Mode::Closed => None,
            }
        }
        .boxed()
    }

    fn pause(&mut self) -> BoxFuture<'_, Vec<Delivery>> {
        self.mode = Mode::Paused;
        future::ready(Vec::new()).boxed()
    }

    fn resume(&mut self) -> BoxFuture<'_, ()> {
        self.mode = Mode::Consuming;
        future::ready(()).boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.mode = Mode::Closed;
        self.queues.release(self.id);
        future::ready(()).boxed()
    }
}

impl Drop for InProcessSubscription {
    fn drop(&mut self) {
        self.queues.release(self.id);
    }
}
