//! The broker of the embedded default: queues in memory, by the same rules. What is in them dies with the process; the
//! relay publishes it again from the database at the next start.

mod queues;
mod receipt;
mod state;
mod subscription;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::sync::watch;

use crate::{
    Broker, Error, InProcessOptions, Lane, Outgoing, Published, PublisherLink, PublisherState, Subscription,
};
use queues::Queues;
use state::Place;
use subscription::InProcessSubscription;

pub(crate) use receipt::Receipt;

/// A broker inside of this process.
pub struct InProcess {
    queues: Arc<Queues>,
    state: watch::Sender<PublisherState>,
}

impl InProcess {
    /// A broker with empty queues.
    pub fn new(options: InProcessOptions) -> Self {
        // Its queues are always new: whatever an earlier process had confirmed is gone with it.
        let state = PublisherState {
            link: PublisherLink::Connected,
            created: options.lanes.iter().map(|lane| (lane.clone(), 1)).collect(),
        };
        Self {
            queues: Arc::new(Queues::new(options)),
            state: watch::Sender::new(state),
        }
    }

    fn consume(&self, places: Vec<Place>, prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        self.queues.check_open()?;
        Ok(Box::new(InProcessSubscription::new(
            self.queues.clone(),
            places,
            prefetch,
        )))
    }

    fn publish_now(&self, jobs: &[Outgoing]) -> Result<Vec<Published>, Error> {
        self.queues.check_open()?;
        Ok(self.queues.push(jobs))
    }
}

impl Broker for InProcess {
    fn publish(&self, jobs: Vec<Outgoing>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        async move { self.publish_now(&jobs) }.boxed()
    }

    fn publisher_state(&self) -> watch::Receiver<PublisherState> {
        self.state.subscribe()
    }

    fn subscribe(&self, lanes: &[Lane], prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        for lane in lanes {
            self.queues.depth(lane)?;
        }
        self.consume(lanes.iter().cloned().map(Place::Lane).collect(), prefetch)
    }

    fn dead_letters(&self, prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        self.consume(vec![Place::Dead], prefetch)
    }

    fn depth<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<u64, Error>> {
        future::ready(self.queues.depth(lane)).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        future::ready(self.queues.check_open()).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.queues.close();
        self.state
            .send_modify(|state| state.link = PublisherLink::Disconnected);
        future::ready(()).boxed()
    }
}
