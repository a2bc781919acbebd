//! The connection that publishing happens on, with all that is declared on it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, Event};

use crate::rabbitmq::link::{Link, within};
use crate::rabbitmq::state::State;
use crate::rabbitmq::topology::Topology;
use crate::{Error, PublisherLink};

/// A channel in confirm mode on a connection with everything declared.
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) channel: Channel,
    pub(super) events: BoxStream<'static, Event>,
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
        let channel = within(self.timeout, "opening a channel", async {
            let channel = connection.create_channel().await.map_err(Error::Channel)?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await
                .map_err(Error::Channel)?;
            Ok(channel)
        })
        .await?;
        self.state.set_link(PublisherLink::Connected);
        Ok(Session {
            connection: connection.clone(),
            channel,
            events,
        })
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
