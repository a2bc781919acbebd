//! RabbitMQ: the broker of deployments.

mod consume;
mod group;
mod link;
mod publisher;
mod state;
mod subscription;
mod topology;

use gristmill_core::boxed;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Broker, Error, Lane, Outgoing, Published, PublisherState, RabbitMqOptions, Subscription};
use link::Link;
use publisher::Publisher;
use state::State;
use topology::Topology;

/// RabbitMQ 3.10 or later, over three supervised connections: publishing has its own because a blocked connection
/// sends no acks either, and asking for depths has its own because a missing queue is an error there.
pub struct RabbitMq {
    topology: Arc<Topology>,
    state: State,
    publisher: Publisher,
    consuming: Arc<Link>,
    admin: Link,
    options: RabbitMqOptions,
    closed: CancellationToken,
}

impl RabbitMq {
    /// Connects and declares exchanges and queues. A broker that is away is no error: it is waited for in the
    /// background, and [`Broker::publisher_state`] tells when it is there.
    ///
    /// # Errors
    /// Only what waiting cannot cure, see [`Error::needs_operator`].
    #[boxed]
    pub async fn start(options: RabbitMqOptions) -> Result<Self, Error> {
        let topology = Arc::new(Topology::new(&options));
        let state = State::new();
        let closed = CancellationToken::new();
        let link = Link::new(&options, "publish")?;
        let publisher =
            Publisher::start(link, topology.clone(), state.clone(), &options, closed.clone()).await?;
        Ok(Self {
            topology,
            state,
            publisher,
            consuming: Arc::new(Link::new(&options, "consume")?),
            admin: Link::new(&options, "admin")?,
            options,
            closed,
        })
    }

    /// Deletes every exchange and queue of these options, with whatever they hold: for tests and benchmarks, which have a
    /// prefix of their own.
    ///
    /// # Errors
    /// When the broker cannot be reached, or refuses.
    #[boxed]
    pub async fn delete(options: &RabbitMqOptions) -> Result<(), Error> {
        let link = Link::new(options, "delete")?;
        let connection = link.get().await?;
        let deleted = Topology::new(options).delete(&connection).await;
        link.close().await;
        deleted
    }

    fn consume(&self, queues: Vec<String>, prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        if self.closed.is_cancelled() {
            return Err(Error::Closed);
        }
        let consumer = consume::Consumer {
            link: self.consuming.clone(),
            topology: self.topology.clone(),
            state: self.state.clone(),
            queues,
            prefetch,
            answer_timeout: self.options.answer_timeout,
        };
        let closed = self.closed.child_token();
        Ok(Box::new(subscription::RabbitMqSubscription::start(
            consumer,
            &self.options,
            closed,
        )))
    }

    async fn ask_depth(&self, connection: &Connection, lane: &Lane) -> Result<u64, Error> {
        let queue = self.topology.lane_queue(lane);
        // A channel of its own: a missing queue closes the one that asks.
        let channel = connection.create_channel().await.map_err(Error::Channel)?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        match channel
            .queue_declare(queue.as_str().into(), passive, FieldTable::default())
            .await
        {
            Ok(found) => Ok(u64::from(found.message_count())),
            Err(source) => Err(Error::Depth { queue, source }),
        }
    }

    async fn check(&self, connection: &Connection) -> Result<(), Error> {
        connection.create_channel().await.map_err(Error::Channel)?;
        if self.state.is_disconnected() {
            Err(Error::Disconnected)
        } else {
            Ok(())
        }
    }

    /// Asks over the admin connection, which is dropped when it does not answer.
    async fn ask<T>(
        &self,
        doing: &'static str,
        question: impl AsyncFnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let connection = self.admin.get().await?;
        let answer = link::within(self.options.answer_timeout, doing, question(&connection)).await;
        if matches!(answer, Err(Error::Timeout { .. } | Error::Channel(_))) {
            self.admin.forget(&connection).await;
        }
        answer
    }
}

impl Broker for RabbitMq {
    fn publish(&self, jobs: Vec<Outgoing>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        self.publisher.publish(jobs).boxed()
    }

    fn publisher_state(&self) -> watch::Receiver<PublisherState> {
        self.state.watch()
    }

    fn subscribe(&self, lanes: &[Lane], prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        if let Some(unknown) = lanes.iter().find(|lane| !self.topology.has(lane)) {
            return Err(Error::UnknownLane(unknown.clone()));
        }
        self.consume(
            lanes.iter().map(|lane| self.topology.lane_queue(lane)).collect(),
            prefetch,
        )
    }

    fn dead_letters(&self, prefetch: u16) -> Result<Box<dyn Subscription>, Error> {
        self.consume(vec![self.topology.dead_queue().to_owned()], prefetch)
    }

    fn depth<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<u64, Error>> {
        async move {
            self.ask("asking for a queue's depth", async |connection| {
                self.ask_depth(connection, lane).await
            })
            .await
        }
        .boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        async {
            self.ask("answering a ping", async |connection| {
                self.check(connection).await
            })
            .await
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            self.closed.cancel();
            self.publisher.closed().await;
            self.consuming.close().await;
            self.admin.close().await;
        }
        .boxed()
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}
