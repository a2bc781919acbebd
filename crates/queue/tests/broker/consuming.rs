//! Consuming: what every broker delivers, and when again.

use futures_util::future::poll_immediate;
use gristmill_queue::Error;

use crate::support::{Subject, depth_becomes, id, ids, lane, next, publish, take, within};

pub async fn an_acked_job_never_comes_again(subject: Subject) {
    let sent = publish(&*subject.broker, "default", 2).await;
    let mut subscription = subject.subscribe(&["default"], 1);
    next(&mut *subscription).await.ack().await;
    // The prefetch is one: the second comes only after the broker has taken the ack of the first.
    let second = next(&mut *subscription).await;
    drop(subscription);

    let mut other = subject.subscribe(&["default"], 10);
    let again = next(&mut *other).await;
    assert_eq!(id(&again), sent[1]);
    assert_eq!(id(&again), id(&second));
    again.ack().await;
    depth_becomes(&*subject.broker, "default", 0).await;
}

pub async fn no_more_than_the_prefetch_is_unsettled(subject: Subject) {
    publish(&*subject.broker, "default", 5).await;
    let mut subscription = subject.subscribe(&["default"], 2);
    let mut held = take(&mut *subscription, 2).await;
    assert!(poll_immediate(subscription.next()).await.is_none());
    depth_becomes(&*subject.broker, "default", 3).await;

    held.remove(0).ack().await;
    held.push(next(&mut *subscription).await);
    assert!(poll_immediate(subscription.next()).await.is_none());
    depth_becomes(&*subject.broker, "default", 2).await;
}

pub async fn a_subscription_takes_from_all_its_lanes(subject: Subject) {
    let mut sent = publish(&*subject.broker, "default", 2).await;
    sent.extend(publish(&*subject.broker, "bulk", 2).await);
    let mut subscription = subject.subscribe(&["default", "bulk"], 10);
    let received = take(&mut *subscription, 4).await;
    sent.sort();
    assert_eq!(ids(&received), sent);
}

pub async fn what_a_vanished_consumer_held_is_delivered_again(subject: Subject) {
    let sent = publish(&*subject.broker, "default", 3).await;
    let mut subscription = subject.subscribe(&["default"], 10);
    let held = take(&mut *subscription, 2).await;
    assert!(held.iter().all(|delivery| !delivery.redelivered));
    drop(subscription);

    let mut other = subject.subscribe(&["default"], 10);
    let again = take(&mut *other, 3).await;
    assert_eq!(ids(&again), sent);
    for delivery in &again {
        if held.iter().any(|old| id(old) == id(delivery)) {
            assert!(delivery.redelivered);
        }
    }
}

pub async fn a_stale_ack_changes_nothing(subject: Subject) {
    let sent = publish(&*subject.broker, "default", 1).await;
    let mut subscription = subject.subscribe(&["default"], 1);
    let stale = next(&mut *subscription).await;
    within(subscription.close()).await;
    assert!(subscription.next().await.is_none());

    let mut other = subject.subscribe(&["default"], 1);
    let again = next(&mut *other).await;
    stale.ack().await;
    drop(other);
    // Had the stale ack settled the second delivery, nothing would be left to deliver a third time.
    let mut third = subject.subscribe(&["default"], 1);
    assert_eq!(id(&next(&mut *third).await), sent[0]);
    drop(again);
}

pub async fn a_pause_leaves_no_job_behind(subject: Subject) {
    let mut sent = publish(&*subject.broker, "default", 10).await;
    let mut subscription = subject.subscribe(&["default"], 5);
    let mut held = take(&mut *subscription, 2).await;
    let handed_back = within(subscription.pause()).await;
    assert!(poll_immediate(subscription.next()).await.is_none());

    // What was taken, what is handed back and what others get now is everything, each job once.
    let mut other = subject.subscribe(&["default"], 10);
    held.extend(handed_back);
    let rest = 10 - held.len();
    held.extend(take(&mut *other, rest).await);
    sent.sort();
    assert_eq!(ids(&held), sent);
    // All of it can still be settled, although one subscription is paused.
    for delivery in held {
        delivery.ack().await;
    }
    within(other.close()).await;
    depth_becomes(&*subject.broker, "default", 0).await;

    let late = publish(&*subject.broker, "default", 1).await;
    within(subscription.resume()).await;
    let delivery = next(&mut *subscription).await;
    assert_eq!(id(&delivery), late[0]);
    assert!(!delivery.redelivered);
}

pub async fn a_lane_that_is_not_configured_cannot_be_subscribed_to(subject: Subject) {
    let refused = subject.broker.subscribe(&[lane("default"), lane("nowhere")], 1);
    assert!(matches!(refused, Err(Error::UnknownLane(lane)) if &*lane == "nowhere"));
}
