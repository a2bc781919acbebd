//! Dead letters: jobs that nobody could take, on every broker.

use crate::support::{DELIVERY_LIMIT, Subject, depth_becomes, id, next, publish};

pub async fn a_rejected_job_becomes_a_dead_letter(subject: Subject) {
    let sent = publish(&*subject.broker, "bulk", 1).await;
    let mut subscription = subject.subscribe(&["bulk"], 1);
    next(&mut *subscription).await.reject().await;

    let mut dead = subject.broker.dead_letters(1).unwrap();
    let letter = next(&mut *dead).await;
    assert_eq!(id(&letter), sent[0]);
    let why = letter.dead_letter.clone().unwrap();
    assert_eq!(why.reason, "rejected");
    assert!(why.queue.ends_with("bulk"), "{why:?}");
    letter.ack().await;
    depth_becomes(&*subject.broker, "bulk", 0).await;
}

pub async fn a_job_whose_consumers_vanish_becomes_a_dead_letter_after_the_limit(subject: Subject) {
    let sent = publish(&*subject.broker, "default", 1).await;
    for _ in 0..=DELIVERY_LIMIT {
        let mut subscription = subject.subscribe(&["default"], 1);
        assert_eq!(id(&next(&mut *subscription).await), sent[0]);
    }
    let mut dead = subject.broker.dead_letters(1).unwrap();
    let letter = next(&mut *dead).await;
    assert_eq!(id(&letter), sent[0]);
    assert_eq!(letter.dead_letter.clone().unwrap().reason, "delivery_limit");
}

pub async fn a_rejected_dead_letter_is_parked_and_does_not_block_the_next(subject: Subject) {
    let sent = publish(&*subject.broker, "default", 2).await;
    let mut subscription = subject.subscribe(&["default"], 1);
    next(&mut *subscription).await.reject().await;
    next(&mut *subscription).await.reject().await;

    let mut dead = subject.broker.dead_letters(1).unwrap();
    let first = next(&mut *dead).await;
    let parked = id(&first);
    first.reject().await;
    let second = next(&mut *dead).await;
    assert!(sent.contains(&parked) && sent.contains(&id(&second)));
    assert_ne!(id(&second), parked);
}
