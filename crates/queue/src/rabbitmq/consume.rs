//! Consumers on one channel: started, read, cancelled.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{StreamExt, future};
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};

use super::link::{Link, within};
use super::state::State;
use super::topology::Topology;
use crate::{Delivery, Error};

/// What to consume, and how.
pub(super) struct Consumer {
    pub(super) link: Arc<Link>,
    pub(super) topology: Arc<Topology>,
    pub(super) state: State,
    pub(super) queues: Vec<String>,
    pub(super) prefetch: u16,
    pub(super) answer_timeout: Duration,
}

/// A channel whose deliveries are being taken. Dropping it gives back what is not settled, once its consumers run.
pub(super) struct Session {
    connection: Arc<Connection>,
    channel: Channel,
}

/// The deliveries of all queues.
pub(super) struct Consuming {
    tags: Vec<lapin::types::ShortString>,
    items: SelectAll<BoxStream<'static, Option<lapin::Result<lapin::message::Delivery>>>>,
}

impl Consumer {
    /// Consumes on the session's channel, or on a new one where that does not work.
    pub(super) async fn start(&self, session: &mut Option<Session>) -> Result<Consuming, Error> {
        let connection = self.link.get().await?;
        let current = match session.take().filter(Session::works) {
            Some(session) => Ok(session),
            None => self.open(&connection).await,
        };
        let consuming = match current {
            Ok(current) => self.consume(session.insert(current)).await,
            Err(error) => Err(error),
        };
        if consuming.is_err() {
            *session = None;
            self.link.forget(&connection).await;
        }
        consuming
    }

    async fn open(&self, connection: &Arc<Connection>) -> Result<Session, Error> {
        self.topology.declare(connection, &self.state).await?;
        let channel = within(self.answer_timeout, "opening a channel", async {
            let channel = connection.create_channel().await.map_err(Error::Channel)?;
            // Before the consumers: without a limit RabbitMQ sends all it has into lapin's unbounded buffer. Not global,
            // which quorum queues answer by closing the connection.
            let each = BasicQosOptions { global: false };
            channel
                .basic_qos(self.prefetch, each)
                .await
                .map_err(Error::Channel)?;
            Ok(channel)
        })
        .await?;
        Ok(Session {
            connection: connection.clone(),
            channel,
        })
    }

    async fn consume(&self, session: &Session) -> Result<Consuming, Error> {
        let mut consuming = Consuming {
            tags: Vec::new(),
            items: SelectAll::new(),
        };
        for queue in &self.queues {
            let start = async {
                let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
                let tag = "".into();
                let started = session
                    .channel
                    .basic_consume(queue.as_str().into(), tag, options, arguments);
                started.await.map_err(|source| Error::Consume {
                    queue: queue.clone(),
                    source,
                })
            };
            let consumer = within(self.answer_timeout, "starting a consumer", start).await?;
            consuming.tags.push(consumer.tag());
            // An end of one stream has to be seen: `SelectAll` drops it in silence.
            let end = stream::once(future::ready(None));
            consuming.items.push(consumer.map(Some).chain(end).boxed());
        }
        Ok(consuming)
    }

    /// Closes a channel on which consumers were being started, which gives back what they were sent. Dropped, it would
    /// stay: lapin holds on to a channel that owes an answer.
    pub(super) async fn close(&self, session: Session) {
        let closed = within(self.answer_timeout, "closing a channel", async {
            let closing = session.channel.close(200, "paused".into());
            closing.await.map_err(Error::Channel)
        });
        if closed.await.is_err() {
            self.link.forget(&session.connection).await;
        }
    }

    /// Stops the consumers and hands on what the broker had sent before it knew.
    pub(super) async fn cancel(
        &self,
        session: &Session,
        mut consuming: Consuming,
        mut hand_on: impl FnMut(Delivery),
    ) -> Result<(), Error> {
        within(self.answer_timeout, "cancelling the consumers", async {
            for tag in &consuming.tags {
                let cancelled = session
                    .channel
                    .basic_cancel(tag.clone(), BasicCancelOptions::default());
                cancelled.await.map_err(Error::Channel)?;
            }
            while let Some(item) = consuming.items.next().await {
                if let Some(Ok(delivery)) = item {
                    hand_on(Delivery::from_rabbitmq(delivery));
                }
            }
            Ok(())
        })
        .await
    }
}

impl Session {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(super) fn works(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

impl Consuming {
    /// The next delivery. `Ok(None)` when the broker has cancelled a consumer: its queue is gone, or has moved.
    pub(super) async fn next(&mut self) -> Result<Option<Delivery>, lapin::Error> {
        match self.items.next().await.flatten() {
            Some(Ok(delivery)) => Ok(Some(Delivery::from_rabbitmq(delivery))),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }
}
