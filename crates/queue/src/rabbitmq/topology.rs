//! Topology: exchanges and queues. Only arguments that RabbitMQ 3.10 and 4.x both know: they cannot be changed on a live
//! queue.

use std::time::Duration;

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::link::within;
use super::state::State;
use crate::error::is_not_found;
use crate::{Error, Lane, RabbitMqOptions};

pub(super) struct Topology {
    /// The exchange that jobs are published to, by lane.
    jobs: String,
    /// The exchange and the queue of jobs that nobody could take.
    dead: String,
    /// The exchange and the queue of dead letters that make no sense to this version.
    parked: String,
    lanes: Vec<Lane>,
    delivery_limit: u32,
    timeout: Duration,
}

impl Topology {
    pub(super) fn new(options: &RabbitMqOptions) -> Self {
        Self {
            jobs: format!("{}.jobs", options.prefix),
            dead: format!("{}.dead", options.prefix),
            parked: format!("{}.parked", options.prefix),
            lanes: options.lanes.clone(),
            delivery_limit: options.delivery_limit,
            timeout: options.answer_timeout,
        }
    }

    pub(super) fn has(&self, lane: &Lane) -> bool {
        self.lanes.contains(lane)
    }

    pub(super) fn jobs_exchange(&self) -> &str {
        &self.jobs
    }

    pub(super) fn lane_queue(&self, lane: &Lane) -> String {
        format!("{}.{lane}", self.jobs)
    }

    pub(super) fn dead_queue(&self) -> &str {
        &self.dead
    }

    /// Declares everything and notes the lanes whose queues were missing, each at once: if declaring the next one fails,
    /// the first will not be missing any more.
    pub(super) async fn declare(&self, connection: &Connection, state: &State) -> Result<(), Error> {
        within(
            self.timeout,
            "declaring queues",
            self.declare_all(connection, state),
        )
        .await
    }

    /// Deletes everything that [`Topology::declare`] declares.
    pub(super) async fn delete(&self, connection: &Connection) -> Result<(), Error> {
        within(self.timeout, "deleting queues", async {
            let channel = connection.create_channel().await.map_err(Error::Channel)?;
            let lanes = self.lanes.iter().map(|lane| self.lane_queue(lane));
            for queue in lanes.chain([self.dead.clone(), self.parked.clone()]) {
                channel
                    .queue_delete(queue.into(), QueueDeleteOptions::default())
                    .await
                    .map_err(Error::Channel)?;
            }
            for exchange in [&self.jobs, &self.dead, &self.parked] {
                channel
                    .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default())
                    .await
                    .map_err(Error::Channel)?;
            }
            Ok(())
        })
        .await
    }

    async fn declare_all(&self, connection: &Connection, state: &State) -> Result<(), Error> {
        let channel = connection.create_channel().await.map_err(Error::Channel)?;
        // A dead letter's target first: from the moment a lane's queue exists it may need it.
        self.declare_final(&channel, &self.parked, &parked_arguments())
            .await?;
        self.declare_final(&channel, &self.dead, &self.lane_arguments(&self.parked))
            .await?;
        declare_exchange(&channel, &self.jobs, ExchangeKind::Direct).await?;
        for lane in &self.lanes {
            let queue = self.lane_queue(lane);
            if is_missing(connection, &queue).await? {
                state.created(lane);
            }
            // Even where it exists: the broker compares the arguments.
            declare_queue(&channel, &queue, &self.lane_arguments(&self.dead)).await?;
            bind(&channel, &queue, &self.jobs, lane).await?;
        }
        Ok(())
    }

    /// An exchange and a queue of the same name that takes all of it.
    async fn declare_final(
        &self,
        channel: &Channel,
        name: &str,
        arguments: &FieldTable,
    ) -> Result<(), Error> {
        declare_exchange(channel, name, ExchangeKind::Fanout).await?;
        declare_queue(channel, name, arguments).await?;
        bind(channel, name, name, "").await
    }

    /// The limit is explicit because its default differs between versions: none, or 20 and then the message is lost.
    /// `reject-publish` is what at-least-once dead-lettering requires; without it RabbitMQ silently dead-letters at most
    /// once.
    fn lane_arguments(&self, dead_letter_exchange: &str) -> FieldTable {
        let mut arguments = quorum();
        arguments.insert(
            "x-delivery-limit".into(),
            AMQPValue::LongLongInt(self.delivery_limit.into()),
        );
        arguments.insert("x-dead-letter-exchange".into(), text(dead_letter_exchange));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments
    }
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// People look at parked messages, and each look counts as a delivery: with a low limit the twentieth would be the last.
fn parked_arguments() -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(i32::MAX.into()));
    arguments
}

/// A passive declaration of a missing queue closes its channel, so each has one of its own.
async fn is_missing(connection: &Connection, queue: &str) -> Result<bool, Error> {
    let channel = connection.create_channel().await.map_err(Error::Channel)?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    match channel
        .queue_declare(queue.into(), passive, FieldTable::default())
        .await
    {
        Ok(_) => Ok(false),
        Err(error) if is_not_found(&error) => Ok(true),
        Err(error) => Err(Error::declare(queue, error)),
    }
}

async fn declare_exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), Error> {
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(name.into(), kind, durable, FieldTable::default())
        .await
        .map_err(|source| Error::declare(name, source))
}

async fn declare_queue(channel: &Channel, name: &str, arguments: &FieldTable) -> Result<(), Error> {
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    match channel
        .queue_declare(name.into(), durable, arguments.clone())
        .await
    {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::declare(name, source)),
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Error> {
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(|source| Error::declare(queue, source))
}
