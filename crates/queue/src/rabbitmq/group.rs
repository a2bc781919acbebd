//! Group: publishing a group of jobs on one channel, and finding out what became of each.

use std::collections::HashSet;

use futures_util::future::{maybe_done, poll_immediate};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};

use crate::{Outgoing, Published};

/// Makes messages' ids: unique within the process, for a return is matched by nothing else.
pub(super) struct MessageIds(u64);

impl MessageIds {
    pub(super) fn new() -> Self {
        Self(0)
    }

    fn next(&mut self, outgoing: &Outgoing) -> String {
        self.0 += 1;
        format!(
            "{}.{}.{:x}",
            outgoing.job.execution_id, outgoing.job.attempt, self.0
        )
    }
}

/// Publishes all, then waits for all confirms. The channel has to be in confirm mode and used by this task alone: two
/// publishing tasks on one channel get each other's confirms.
///
/// # Errors
/// Nothing is known about any of them.
pub(super) async fn publish_group(
    channel: &Channel,
    exchange: &str,
    group: &[Outgoing],
    ids: &mut MessageIds,
) -> lapin::Result<Vec<Published>> {
    let ids: Vec<String> = group.iter().map(|outgoing| ids.next(outgoing)).collect();
    let mut publishing = Vec::with_capacity(group.len());
    for (outgoing, id) in group.iter().zip(&ids) {
        let mut publish = Box::pin(maybe_done(publish_one(channel, exchange, outgoing, id)));
        // The first poll takes the delivery tag and queues the frames. Polled in order and by one task, the n-th tag is
        // the n-th message's; waiting for each to be written would cost a turn of the I/O thread per message.
        poll_immediate(&mut publish).await;
        publishing.push(publish);
    }
    let mut outcomes = Vec::with_capacity(group.len());
    let mut returned = HashSet::new();
    for mut publish in publishing {
        publish.as_mut().await;
        // `maybe_done` keeps the output until it is taken, once, here.
        let Some(confirmation) = publish.as_mut().take_output() else {
            continue;
        };
        let (outcome, message) = match confirmation? {
            Confirmation::Ack(message) => (Published::Confirmed, message),
            Confirmation::Nack(message) => (Published::Refused, message),
            // The channel was not in confirm mode: nothing is known, so it counts as not published.
            Confirmation::NotRequested => (Published::Refused, None),
        };
        outcomes.push(outcome);
        returned.extend(message.and_then(|message| message.delivery.properties.message_id().clone()));
    }
    // A returned message rides on *some* confirm of the group, not on its own. The broker sends it before the confirm,
    // so with all confirms the set is complete.
    for (outcome, id) in outcomes.iter_mut().zip(&ids) {
        if returned.contains(id.as_str()) {
            *outcome = Published::Unroutable;
        }
    }
    Ok(outcomes)
}

async fn publish_one(
    channel: &Channel,
    exchange: &str,
    outgoing: &Outgoing,
    id: &str,
) -> lapin::Result<Confirmation> {
    const PERSISTENT: u8 = 2;
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(id.into());
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let body = outgoing.job.to_bytes();
    let lane = outgoing.lane.as_ref().into();
    channel
        .basic_publish(exchange.into(), lane, mandatory, &body, properties)
        .await?
        .await
}
