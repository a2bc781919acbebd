//! Renewing: RabbitMQ's consumers are started anew every few seconds, and stopped and started by a worker that is full.

use std::collections::BTreeSet;
use std::time::Duration;

use gristmill_queue::{Broker, RabbitMq};
use gristmill_testkit::TestBroker;

use crate::support::{id, next, publish, subscribe, take, within};

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_read_yet_is_not_returned() {
    let queues = TestBroker::new(&["default", "bulk"]);
    let mut options = queues.options().clone();
    options.consumers_last = Duration::from_millis(100);
    let broker = RabbitMq::start(options).await.unwrap();
    let mut subscription = subscribe(&broker, &["default"], 5);
    publish(&broker, "default", 5).await;
    // As while the database is away: one is on its way into it, and nobody comes for the others.
    let taken = next(&mut *subscription).await;
    // Time for many renewals, of which there shall be none.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for delivery in take(&mut *subscription, 4).await {
        assert!(!delivery.redelivered, "returned, and delivered again");
        delivery.ack().await;
    }
    taken.ack().await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_while_consumers_are_started_strands_nothing() {
    let queues = TestBroker::new(&["default", "bulk"]);
    let mut options = queues.options().clone();
    // The same few come back round after round.
    options.delivery_limit = 1_000;
    let broker = RabbitMq::start(options).await.unwrap();
    let mut subscription = subscribe(&broker, &["default", "bulk"], 5);
    let (mut sent, mut received) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..100_u64 {
        for lane in ["default", "bulk"] {
            sent.extend(publish(&broker, lane, 2).await);
        }
        within(subscription.resume()).await;
        // From before the first consumer to after the second.
        tokio::time::sleep(Duration::from_micros(50 * round)).await;
        for delivery in within(subscription.pause()).await {
            received.insert(id(&delivery));
            delivery.ack().await;
        }
    }
    // Paused: whatever it was sent, and did not hand over, somebody else has to get.
    let mut other = subscribe(&broker, &["default", "bulk"], 500);
    while received.len() < sent.len() {
        let delivery = next(&mut *other).await;
        received.insert(id(&delivery));
        delivery.ack().await;
    }
    assert_eq!(received, sent);
    broker.close().await;
}
