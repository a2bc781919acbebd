//! Prefetching: the in-process broker hands out a job when it is asked for one. This one has prefetched them when it is
//! paused, as RabbitMQ has: whatever waits, up to the prefetch, is on its way to the worker already.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_queue::{
    Broker, Delivery, Error, InProcess, Lane, Outgoing, Published, PublisherState, Subscription,
};
use tokio::sync::watch;

pub struct Prefetching(pub InProcess);

struct Prefetched(Box<dyn Subscription>);

impl Broker for Prefetching {
    fn publish(&self, jobs: Vec<Outgoing>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        self.0.publish(jobs)
    }

    fn publisher_state(&self) -> watch::Receiver<PublisherState> {
        self.0.publisher_state()
    }

    fn subscribe(&self, lanes: &[Lane], prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        Ok(Box::new(Prefetched(self.0.subscribe(lanes, prefetch)?)))
    }

    fn dead_letters(&self, prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        self.0.dead_letters(prefetch)
    }

    fn depth<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<u64, Error>> {
        self.0.depth(lane)
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.0.ping()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

impl Subscription for Prefetched {
    fn next(&mut self) -> BoxFuture<'_, Option<Delivery>> {
        self.0.next()
    }

    fn pause(&mut self) -> BoxFuture<'_, Vec<Delivery>> {
        async {
            let mut prefetched = Vec::new();
            while let Some(delivery) = self.0.next().now_or_never().flatten() {
                prefetched.push(delivery);
            }
            prefetched.extend(self.0.pause().await);
            prefetched
        }
        .boxed()
    }

    fn resume(&mut self) -> BoxFuture<'_, ()> {
        self.0.resume()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}
