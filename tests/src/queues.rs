//! Queues: the test's own look at the broker's queues, past everything that is tested.

use std::time::Duration;

use gristmill_queue::RabbitMqOptions;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

/// The queues under one prefix.
pub struct Queues {
    url: String,
    prefix: String,
}

/// How long the broker may take. What it does not answer by then is tried again by whoever asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

impl Queues {
    pub(crate) fn new(options: &RabbitMqOptions) -> Self {
        Self {
            url: options.url.clone(),
            prefix: options.prefix.clone(),
        }
    }

    /// The queue of a lane.
    pub fn lane(&self, lane: &str) -> String {
        format!("{}.jobs.{lane}", self.prefix)
    }

    /// The queue of jobs that nobody could take.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The queue of messages that are no jobs.
    pub fn parked(&self) -> String {
        format!("{}.parked", self.prefix)
    }

    /// How many messages wait in a queue, without those that were delivered and are not settled yet; `None` when there is
    /// no such queue or the broker does not answer.
    pub async fn depth(&self, queue: &str) -> Option<u32> {
        self.declared(queue).await.map(|queue| queue.message_count())
    }

    /// How many consumers a queue has; `None` when there is no such queue or the broker does not answer.
    pub async fn consumers(&self, queue: &str) -> Option<u32> {
        self.declared(queue).await.map(|queue| queue.consumer_count())
    }

    async fn declared(&self, queue: &str) -> Option<lapin::Queue> {
        self.on_channel(async |channel| {
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            channel
                .queue_declare(queue.into(), passive, FieldTable::default())
                .await
        })
        .await
    }

    /// Deletes a queue with everything that is in it; `None` when the broker does not answer.
    pub async fn delete(&self, queue: &str) -> Option<u32> {
        self.on_channel(async |channel| {
            channel
                .queue_delete(queue.into(), QueueDeleteOptions::default())
                .await
        })
        .await
    }

    /// Puts messages of any kind into a queue, past the exchange; `None` when the broker does not confirm them.
    pub async fn put(&self, queue: &str, bodies: &[Vec<u8>]) -> Option<()> {
        self.on_channel(async |channel| {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            let persistent = BasicProperties::default().with_delivery_mode(2);
            for body in bodies {
                channel
                    .basic_publish(
                        "".into(),
                        queue.into(),
                        BasicPublishOptions::default(),
                        body,
                        persistent.clone(),
                    )
                    .await?
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Takes everything that waits in a queue; `None` when the broker does not answer.
    pub async fn take_all(&self, queue: &str) -> Option<Vec<Vec<u8>>> {
        self.on_channel(async |channel| {
            let mut bodies = Vec::new();
            let taken = BasicGetOptions { no_ack: true };
            while let Some(message) = channel.basic_get(queue.into(), taken).await? {
                bodies.push(message.delivery.data);
            }
            Ok(bodies)
        })
        .await
    }

    /// Takes everything that waits in a queue, and answers for each message whether it was delivered before; `None` when
    /// the broker does not answer.
    pub async fn take_all_redelivered(&self, queue: &str) -> Option<Vec<bool>> {
        self.on_channel(async |channel| {
            let mut redelivered = Vec::new();
            let taken = BasicGetOptions { no_ack: true };
            while let Some(message) = channel.basic_get(queue.into(), taken).await? {
                redelivered.push(message.delivery.redelivered);
            }
            Ok(redelivered)
        })
        .await
    }

    /// On a connection of its own, for the last one may not have survived what the test has done since.
    async fn on_channel<T>(&self, work: impl AsyncFnOnce(&Channel) -> lapin::Result<T>) -> Option<T> {
        let all = async {
            let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
            // Until the connection is closed: a channel that is dropped closes itself, and that gets in the way.
            let channel = connection.create_channel().await?;
            let done = work(&channel).await?;
            connection.close(200, "done".into()).await?;
            Ok(done)
        };
        let done: Result<lapin::Result<T>, _> = tokio::time::timeout(ANSWER_WITHIN, all).await;
        done.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_testkit::TestBroker;

    #[tokio::test]
    async fn what_is_put_into_a_queue_is_counted_and_can_be_taken_or_deleted() {
        let broker = TestBroker::new(&["default"]);
        let _declares = broker.start().await;
        let queues = Queues::new(broker.options());
        let lane = queues.lane("default");
        let messages = [b"one".to_vec(), b"two".to_vec()];
        for _ in 0..20 {
            assert_eq!(queues.put(&lane, &messages).await, Some(()));
            assert_eq!(queues.depth(&lane).await, Some(2));
            assert_eq!(queues.take_all(&lane).await.as_deref(), Some(&messages[..]));
        }
        queues.put(&lane, &messages).await.unwrap();
        assert_eq!(queues.delete(&lane).await, Some(2));
        assert_eq!(queues.depth(&lane).await, None);
    }
}
