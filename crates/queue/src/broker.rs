//! Broker: what a broker does for its callers, whichever it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use gristmill_core::Job;
use tokio::sync::watch;

use crate::{Delivery, Error};

/// The name of a configured queue that workers subscribe to.
pub type Lane = Arc<str>;

/// A job to publish.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where it goes. A lane that nobody declared makes it [`Published::Unroutable`].
    pub lane: Lane,
    /// The message.
    pub job: Job,
}

/// What became of a job whose fate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The broker has it, and keeps it over its own restart.
    Confirmed,
    /// No queue takes this lane: the broker returned it.
    Unroutable,
    /// The broker would not take it, a full queue for example.
    Refused,
}

/// Whether publishing has a chance now, and which queues lost what was in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherState {
    /// The publisher's connection.
    pub link: PublisherLink,
    /// How often this process found a lane's queue missing and created it, for lanes where that happened. Whatever had
    /// been confirmed for the lane before is gone: when the number grows, its PENDING rows are to be published again.
    /// A count and no event, so that a reader that was busy meanwhile misses nothing.
    pub created: BTreeMap<Lane, u64>,
}

/// The publisher's connection, as its users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublisherLink {
    /// Publishing works.
    Connected,
    /// The broker is out of memory or disk and takes no messages for now.
    Blocked,
    /// There is no connection; it is being rebuilt.
    Disconnected,
}

impl PublisherState {
    /// Whether the relay may work: publishing now is worth trying.
    pub fn is_connected(&self) -> bool {
        self.link == PublisherLink::Connected
    }
}

/// Carries jobs from publishers to workers, at least once.
pub trait Broker: Send + Sync + 'static {
    /// Publishes jobs, persistent and confirmed, and answers with one outcome for each in the order given.
    ///
    /// Callers may be many: what piles up while one group is being confirmed goes out together as the next.
    ///
    /// # Errors
    /// The outcome of *every* job is unknown, and each counts as unpublished. Publishing again is safe: a doubled job
    /// claims nothing.
    fn publish(&self, jobs: Vec<Outgoing>) -> BoxFuture<'_, Result<Vec<Published>, Error>>;

    /// The publisher's state, as it changes.
    fn publisher_state(&self) -> watch::Receiver<PublisherState>;

    /// Begins to consume, at once or as soon as the broker can be reached. At most `prefetch` deliveries of each lane
    /// are unsettled at any time; twice as many for the seconds after consumers were started anew, when what the former
    /// ones were sent is still being settled.
    ///
    /// # Errors
    /// A lane that is not configured, or a broker that was closed.
    fn subscribe(&self, lanes: &[Lane], prefetch: u16) -> Result<Box<dyn Subscription>, Error>;

    /// Begins to consume the jobs that were rejected or delivered too often. A reject parks one for good, for people to
    /// look at.
    ///
    /// # Errors
    /// A broker that was closed.
    fn dead_letters(&self, prefetch: u16) -> Result<Box<dyn Subscription>, Error>;

    /// How many of a lane's jobs wait for a worker; those on their way to one are not counted.
    ///
    /// # Errors
    /// The broker cannot be asked, or has no such queue.
    fn depth<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<u64, Error>>;

    /// Makes a round trip, for readiness probes.
    ///
    /// # Errors
    /// Why the broker is not ready.
    fn ping(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Ends publishing and every subscription. What was delivered and not acked goes to other workers.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A stream of deliveries that outlives its connections: a lost one is rebuilt, with its channel and its consumers.
///
/// Dropping it gives back what was delivered and not acked.
pub trait Subscription: Send {
    /// The next delivery; `None` once the subscription or the broker is closed. Safe to cancel: no delivery is lost.
    fn next(&mut self) -> BoxFuture<'_, Option<Delivery>>;

    /// Stops consuming and answers with the deliveries that were on their way to [`Subscription::next`]. They, and
    /// those taken earlier, can still be settled.
    fn pause(&mut self) -> BoxFuture<'_, Vec<Delivery>>;

    /// Consumes again after a pause.
    fn resume(&mut self) -> BoxFuture<'_, ()>;

    /// Stops for good. What was delivered and not settled goes to others.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}
