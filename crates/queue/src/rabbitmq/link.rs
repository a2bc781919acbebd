//! Link: one connection, made when it is needed and dropped when it is in doubt. lapin's own recovery stays off: with it
//! a lost confirm hangs for the whole outage and a channel's error leaves its consumers silent for ever.

use std::sync::Arc;
use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use tokio::sync::Mutex;

use crate::{Error, RabbitMqOptions};

pub(super) struct Link {
    uri: AMQPUri,
    purpose: &'static str,
    name: String,
    timeout: Duration,
    current: Mutex<Option<Arc<Connection>>>,
}

impl Link {
    pub(super) fn new(options: &RabbitMqOptions, purpose: &'static str) -> Result<Self, Error> {
        let mut uri: AMQPUri = options.url.parse().map_err(Error::Url)?;
        let heartbeat = u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX);
        uri.query.heartbeat.get_or_insert(heartbeat);
        let name = format!("{} {purpose}", options.name);
        Ok(Self {
            uri,
            purpose,
            name,
            timeout: options.connect_timeout,
            current: Mutex::new(None),
        })
    }

    /// The connection, made anew when there is none that works.
    pub(super) async fn get(&self) -> Result<Arc<Connection>, Error> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current
            .as_ref()
            .filter(|connection| connection.status().connected())
        {
            return Ok(connection.clone());
        }
        *current = None;
        let connection = Arc::new(within(self.timeout, "connecting", self.connect()).await?);
        metrics::counter!("gristmill_broker_connections_total", "purpose" => self.purpose).increment(1);
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Drops a connection that is in doubt, even where it still looks alive: the next [`Link::get`] makes a new one.
    /// Only this one, for another user of the link may have replaced it already.
    pub(super) async fn forget(&self, doubtful: &Arc<Connection>) {
        self.current
            .lock()
            .await
            .take_if(|current| Arc::ptr_eq(current, doubtful));
    }

    pub(super) async fn close(&self) {
        let Some(connection) = self.current.lock().await.take() else {
            return;
        };
        let goodbye = async {
            connection
                .close(200, "closing".into())
                .await
                .map_err(Error::Connect)
        };
        if let Err(error) = within(self.timeout, "closing", goodbye).await {
            tracing::debug!(purpose = self.purpose, %error, "the connection to RabbitMQ was not closed cleanly");
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        Connection::connect_uri(self.uri.clone(), properties)
            .await
            .map_err(Error::Connect)
    }
}

/// Bounds a wait: a frozen broker answers nothing, and lapin waits for ever.
pub(super) async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(Error::Timeout { doing, after: limit }))
}
