//! Publishing: what every broker confirms, and what not.

use std::sync::Arc;

use gristmill_core::Job;
use gristmill_queue::{Error, Published, PublisherLink};

use crate::support::{Subject, depth_becomes, lane, next, outgoing, publish, within};

pub async fn a_published_job_arrives_as_it_was(subject: Subject) {
    let sent = outgoing("default");
    assert_eq!(
        subject.broker.publish(vec![sent.clone()]).await.unwrap(),
        [Published::Confirmed]
    );

    let mut subscription = subject.subscribe(&["default"], 1);
    let delivery = next(&mut *subscription).await;
    assert_eq!(Job::from_bytes(&delivery.body).unwrap(), sent.job);
    assert!(!delivery.redelivered);
    assert!(
        delivery
            .message_id
            .as_deref()
            .unwrap()
            .starts_with(sent.job.execution_id.as_str())
    );
    assert_eq!(delivery.dead_letter, None);
}

pub async fn every_caller_gets_its_own_outcomes_in_its_own_order(subject: Subject) {
    let callers = (0..8).map(|caller| {
        let broker = Arc::clone(&subject.broker);
        tokio::spawn(async move {
            for round in 0..20 {
                let lanes: Vec<_> = (0..=(caller + round) % 9)
                    .map(|n| {
                        if (n * 7 + caller + round) % 3 == 0 {
                            "nowhere"
                        } else {
                            "default"
                        }
                    })
                    .collect();
                let wanted: Vec<_> = lanes
                    .iter()
                    .map(|lane| {
                        if *lane == "nowhere" {
                            Published::Unroutable
                        } else {
                            Published::Confirmed
                        }
                    })
                    .collect();
                let jobs = lanes.iter().map(|lane| outgoing(lane)).collect();
                assert_eq!(broker.publish(jobs).await.unwrap(), wanted);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        within(caller).await.unwrap();
    }
}

pub async fn depth_counts_the_jobs_that_wait(subject: Subject) {
    publish(&*subject.broker, "bulk", 3).await;
    depth_becomes(&*subject.broker, "bulk", 3).await;
    assert_eq!(subject.broker.depth(&lane("default")).await.unwrap(), 0);
    subject.broker.depth(&lane("nowhere")).await.unwrap_err();
    subject.broker.ping().await.unwrap();
}

pub async fn a_closed_broker_publishes_and_delivers_nothing(subject: Subject) {
    let mut subscription = subject.subscribe(&["default"], 1);
    publish(&*subject.broker, "default", 1).await;
    next(&mut *subscription).await.ack().await;

    within(subject.broker.close()).await;
    assert!(within(subscription.next()).await.is_none());
    assert!(matches!(
        subject.broker.publish(vec![outgoing("default")]).await,
        Err(Error::Closed)
    ));
    assert!(matches!(
        subject.broker.subscribe(&[lane("default")], 1),
        Err(Error::Closed)
    ));
    assert_eq!(
        subject.broker.publisher_state().borrow().link,
        PublisherLink::Disconnected
    );
}
