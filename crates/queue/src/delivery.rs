//! Delivery: one message in the hands of a consumer, until it is settled.

use gristmill_core::boxed;
use std::future::Future;
use std::time::Duration;

use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicRejectOptions};
use lapin::types::AMQPValue;

use crate::in_process::Receipt;

/// A message to settle with [`Delivery::ack`] or [`Delivery::reject`], once.
///
/// Dropping it settles nothing: it counts against the prefetch until its subscription ends, and is delivered again then.
#[derive(Debug)]
pub struct Delivery {
    /// The message; [`gristmill_core::Job::from_bytes`] reads it.
    pub body: Vec<u8>,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// The publisher's name for this one publish, for logs.
    pub message_id: Option<String>,
    /// On the dead-letter subscription: why it is there.
    pub dead_letter: Option<DeadLetter>,
    origin: Origin,
}

/// How a job became a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// `rejected`, `delivery_limit`, or another of RabbitMQ's words.
    pub reason: String,
    /// The queue that it was in.
    pub queue: String,
}

#[derive(Debug)]
enum Origin {
    RabbitMq(Acker),
    InProcess(Receipt),
}

impl Delivery {
    /// Done: the broker forgets the message.
    ///
    /// When the connection that brought it is gone, this does nothing: the message is on its way to somebody already,
    /// and its job will claim nothing.
    #[boxed]
    pub async fn ack(self) {
        match self.origin {
            Origin::RabbitMq(acker) => settle("ack", &acker, acker.ack(BasicAckOptions::default())).await,
            Origin::InProcess(receipt) => receipt.ack(),
        }
    }

    /// Never to be delivered again: a job becomes a dead letter, a dead letter is parked. As harmless as
    /// [`Delivery::ack`] when the connection is gone.
    #[boxed]
    pub async fn reject(self) {
        match self.origin {
            Origin::RabbitMq(acker) => {
                let options = BasicRejectOptions { requeue: false };
                settle("reject", &acker, acker.reject(options)).await;
            }
            Origin::InProcess(receipt) => receipt.reject(),
        }
    }

    /// False when its connection is gone. The consumer still holds such deliveries when it learns of the loss; they come
    /// again, and working on them now would only be to work twice.
    pub(crate) fn is_live(&self) -> bool {
        match &self.origin {
            Origin::RabbitMq(acker) => acker.usable(),
            Origin::InProcess(_) => true,
        }
    }

    pub(crate) fn from_rabbitmq(delivery: lapin::message::Delivery) -> Self {
        let header = |name: &str| {
            let headers = delivery.properties.headers().as_ref()?;
            match headers.inner().get(name)? {
                AMQPValue::LongString(text) => Some(text.to_string()),
                AMQPValue::ShortString(text) => Some(text.to_string()),
                _ => None,
            }
        };
        let dead_letter = header("x-first-death-reason").map(|reason| DeadLetter {
            reason,
            queue: header("x-first-death-queue").unwrap_or_default(),
        });
        Self {
            redelivered: delivery.redelivered,
            message_id: delivery.properties.message_id().as_ref().map(ToString::to_string),
            dead_letter,
            body: delivery.data,
            origin: Origin::RabbitMq(delivery.acker),
        }
    }

    pub(crate) fn from_receipt(receipt: Receipt) -> Self {
        let message = receipt.message();
        Self {
            body: message.body.clone(),
            redelivered: receipt.redelivered(),
            message_id: Some(message.message_id.clone()),
            dead_letter: receipt.dead_letter().cloned(),
            origin: Origin::InProcess(receipt),
        }
    }
}

/// The longest wait for a settlement to be written.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);

/// `Ok(false)` and errors both mean that the delivery was stale; no answer ever means that the broker acted on it. And
/// there may be none at all: a settlement that is handed to a connection in the moment in which it dies may never be
/// answered, and must not hold its caller up.
async fn settle(verb: &'static str, acker: &Acker, answer: impl Future<Output = lapin::Result<bool>>) {
    if !acker.usable() {
        tracing::debug!(verb, "not settled: its connection is gone");
        return;
    }
    match tokio::time::timeout(SETTLE_WITHIN, answer).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => tracing::debug!(verb, "settled a delivery of a connection that is gone"),
        Ok(Err(error)) => tracing::debug!(verb, %error, "settling a delivery failed"),
        Err(_) => tracing::debug!(verb, "settling a delivery was not answered"),
    }
}
