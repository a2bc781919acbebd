//! Queue: one quorum queue of the benchmark's own.

use futures_util::future::poll_immediate;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::bench::Error;

/// The queue, with one connection to publish on and one to consume on, as Gristmill has them.
pub(super) struct Queue {
    name: String,
    publishing: Connection,
    consuming: Connection,
    prefetch: u16,
}

/// Publishes with confirms.
pub(super) struct Publisher {
    messages: mpsc::Sender<Message>,
}

struct Message {
    body: Vec<u8>,
    confirmed: oneshot::Sender<lapin::Result<()>>,
}

impl Queue {
    /// Connects, and declares it.
    pub(super) async fn declare(url: &str, in_flight: u64) -> Result<Self, Error> {
        let connect = || async {
            let connected = Connection::connect(url, ConnectionProperties::default()).await;
            connected.map_err(failed("connecting to RabbitMQ"))
        };
        let queue = Self {
            name: format!("gristmill_floor_{}", Uuid::new_v4().simple()),
            publishing: connect().await?,
            consuming: connect().await?,
            prefetch: u16::try_from(in_flight).unwrap_or(u16::MAX),
        };
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let name = queue.name.as_str().into();
        channel(&queue.publishing)
            .await?
            .queue_declare(name, durable, arguments)
            .await
            .map_err(failed("declaring the queue"))?;
        Ok(queue)
    }

    pub(super) async fn publisher(&self) -> Result<Publisher, Error> {
        let channel = channel(&self.publishing).await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .map_err(failed("asking for confirms"))?;
        let (messages, inbox) = mpsc::channel(1_024);
        tokio::spawn(publish_all(channel, self.name.clone(), inbox));
        Ok(Publisher { messages })
    }

    pub(super) async fn consumer(&self) -> Result<Consumer, Error> {
        let channel = channel(&self.consuming).await?;
        channel
            .basic_qos(self.prefetch, BasicQosOptions::default())
            .await
            .map_err(failed("limiting the prefetch"))?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        channel
            .basic_consume(self.name.as_str().into(), "".into(), options, arguments)
            .await
            .map_err(failed("consuming"))
    }

    /// Deletes it, with whatever it holds.
    pub(super) async fn delete(self) -> Result<(), Error> {
        channel(&self.publishing)
            .await?
            .queue_delete(self.name.into(), QueueDeleteOptions::default())
            .await
            .map_err(failed("deleting the queue"))?;
        for connection in [self.publishing, self.consuming] {
            if let Err(error) = connection.close(200, "done".into()).await {
                // Its channels may be on their way out already.
                eprintln!("a connection to RabbitMQ was not closed cleanly: {error}");
            }
        }
        Ok(())
    }
}

impl Publisher {
    /// Answers once the broker has confirmed.
    pub(super) async fn publish(&self, body: Vec<u8>) -> Result<(), Error> {
        let (confirmed, answer) = oneshot::channel();
        let closed = |()| Error::Message;
        self.messages
            .send(Message { body, confirmed })
            .await
            .map_err(|_| closed(()))?;
        let answer = answer.await.map_err(|_| closed(()))?;
        answer.map_err(failed("publishing"))
    }
}

/// One task publishes, for two on one channel get each other's confirms; any number of them wait for theirs.
async fn publish_all(channel: Channel, queue: String, mut inbox: mpsc::Receiver<Message>) {
    while let Some(Message { body, confirmed }) = inbox.recv().await {
        let (channel, queue) = (channel.clone(), queue.clone());
        let mut publishing = Box::pin(async move { publish(&channel, &queue, &body).await });
        // The first poll takes the delivery tag and queues the frames; the rest is waiting.
        if let Some(done) = poll_immediate(&mut publishing).await {
            drop(confirmed.send(done));
        } else {
            tokio::spawn(async move { drop(confirmed.send(publishing.await)) });
        }
    }
}

async fn publish(channel: &Channel, queue: &str, body: &[u8]) -> lapin::Result<()> {
    const PERSISTENT: u8 = 2;
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    let options = BasicPublishOptions::default();
    let published = channel.basic_publish("".into(), queue.into(), options, body, properties);
    published.await?.await.map(drop)
}

async fn channel(connection: &Connection) -> Result<Channel, Error> {
    let opened = connection.create_channel().await;
    opened.map_err(failed("opening a channel"))
}

pub(super) fn failed(doing: &'static str) -> impl Fn(lapin::Error) -> Error {
    move |source| Error::Amqp { doing, source }
}
