//! Session: the connection that publishing happens on, with all that is declared on it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, Event};
use tokio::time::Instant;

use crate::rabbitmq::link::{Link, within};
use crate::rabbitmq::state::State;
use crate::rabbitmq::topology::Topology;
use crate::{Error, PublisherLink};

/// A channel that was refused a message is used no longer than this: a full queue costs one channel a second, not one a
/// message.
const RENEW_AFTER: Duration = Duration::from_secs(1);

/// A channel in confirm mode on a connection with everything declared.
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) channel: Channel,
    pub(super) events: BoxStream<'static, Event>,
    opened: Instant,
}

/// Makes sessions.
pub(super) struct Opener {
    pub(super) link: Link,
    pub(super) topology: Arc<Topology>,
    pub(super) state: State,
    pub(super) timeout: Duration,
}

impl Opener {
    pub(super) async fn open(&self) -> Result<Session, Error> {
        let connection = self.link.get().await?;
        let session = self.open_on(&connection).await;
        if session.is_err() {
            self.link.forget(&connection).await;
        }
        session
    }

    async fn open_on(&self, connection: &Arc<Connection>) -> Result<Session, Error> {
        let events = connection.events_listener().boxed();
        self.declare(connection).await?;
        let channel = self.channel(connection).await?;
        self.state.set_link(PublisherLink::Connected);
        Ok(Session {
            connection: connection.clone(),
            channel,
            events,
            opened: Instant::now(),
        })
    }

    async fn channel(&self, connection: &Connection) -> Result<Channel, Error> {
        within(self.timeout, "opening a channel", async {
            let channel = connection.create_channel().await.map_err(Error::Channel)?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await
                .map_err(Error::Channel)?;
            Ok(channel)
        })
        .await
    }

    /// Gives the session another channel when the broker refused messages on its own. A quorum queue that is full says so
    /// to every publishing channel, and the channel refuses by itself from then on; that there is room again is said when
    /// the queue falls below its limit, but never when the limit is taken away (RabbitMQ 3.10, `rabbit_fifo`:
    /// `evaluate_limit` looks at nothing where there is no limit). The old channel would refuse everything for ever.
    pub(super) async fn renew(&self, session: &mut Session) -> Result<(), Error> {
        if session.opened.elapsed() < RENEW_AFTER {
            return Ok(());
        }
        let channel = self.channel(&session.connection).await?;
        let refused = std::mem::replace(&mut session.channel, channel);
        session.opened = Instant::now();
        within(self.timeout, "closing a channel", async {
            let closing = refused.close(200, "messages were refused".into());
            closing.await.map_err(Error::Channel)
        })
        .await
    }

    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), Error> {
        self.topology.declare(connection, &self.state).await
    }
}

impl Session {
    /// Tells the state what the connection says.
    ///
    /// # Errors
    /// The session is lost.
    pub(super) fn note(&self, event: Option<Event>, state: &State) -> Result<(), Error> {
        match event.ok_or(Error::Disconnected)? {
            Event::ConnectionBlocked(reason) => {
                tracing::warn!(reason, "RabbitMQ takes no messages for now");
                state.set_link(PublisherLink::Blocked);
            }
            Event::ConnectionUnblocked => {
                tracing::info!("RabbitMQ takes messages again");
                state.set_link(PublisherLink::Connected);
            }
            // Errors of the connection's other channels are told here too: each queue found missing is one.
            Event::Error(error) if !self.works() => {
                state.set_link(PublisherLink::Disconnected);
                return Err(Error::Publish(error));
            }
            _ => {}
        }
        Ok(())
    }

    fn works(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}
