//! Support: what the cases are written with.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, Job, OrganizationId};
use gristmill_queue::{
    Broker, Delivery, InProcess, InProcessOptions, Lane, Outgoing, Published, PublisherState, Subscription,
};
use gristmill_testkit::TestBroker;

/// How often a job of these tests comes back before it is a dead letter.
pub const DELIVERY_LIMIT: u32 = 2;

/// Everything that is waited for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker to run a case on, with the lanes `default` and `bulk`.
pub struct Subject {
    pub broker: Arc<dyn Broker>,
    // Dropped after the broker: it deletes the queues.
    _queues: Option<TestBroker>,
}

impl Subject {
    pub async fn rabbitmq() -> Self {
        let queues = TestBroker::new(&["default", "bulk"]);
        let mut options = queues.options().clone();
        options.delivery_limit = DELIVERY_LIMIT;
        let broker = gristmill_queue::RabbitMq::start(options).await.unwrap();
        Self {
            broker: Arc::new(broker),
            _queues: Some(queues),
        }
    }

    pub fn in_process() -> Self {
        let mut options = InProcessOptions::new(vec![lane("default"), lane("bulk")]);
        options.delivery_limit = DELIVERY_LIMIT;
        Self {
            broker: Arc::new(InProcess::new(options)),
            _queues: None,
        }
    }

    pub fn subscribe(&self, lanes: &[&str], prefetch: u16) -> Box<dyn Subscription> {
        subscribe(&*self.broker, lanes, prefetch)
    }
}

pub fn subscribe(broker: &dyn Broker, lanes: &[&str], prefetch: u16) -> Box<dyn Subscription> {
    let lanes: Vec<Lane> = lanes.iter().copied().map(lane).collect();
    broker.subscribe(&lanes, prefetch).unwrap()
}

pub fn lane(name: &str) -> Lane {
    name.into()
}

pub fn outgoing(name: &str) -> Outgoing {
    let job = Job {
        execution_id: ExecutionId::new(),
        organization_id: OrganizationId::new(),
        attempt: 0,
    };
    Outgoing {
        lane: lane(name),
        job,
    }
}

/// Publishes new jobs to a lane, all confirmed, and names them.
pub async fn publish(broker: &dyn Broker, lane: &str, count: usize) -> Vec<ExecutionId> {
    let jobs: Vec<_> = (0..count).map(|_| outgoing(lane)).collect();
    let ids = jobs
        .iter()
        .map(|outgoing| outgoing.job.execution_id.clone())
        .collect();
    assert_eq!(
        broker.publish(jobs).await.unwrap(),
        vec![Published::Confirmed; count]
    );
    ids
}

pub fn id(delivery: &Delivery) -> ExecutionId {
    Job::from_bytes(&delivery.body).unwrap().execution_id
}

pub async fn next(subscription: &mut dyn Subscription) -> Delivery {
    within(subscription.next())
        .await
        .expect("the subscription has ended")
}

pub async fn take(subscription: &mut dyn Subscription, count: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    while deliveries.len() < count {
        deliveries.push(next(subscription).await);
    }
    deliveries
}

pub fn ids(deliveries: &[Delivery]) -> Vec<ExecutionId> {
    let mut ids: Vec<_> = deliveries.iter().map(id).collect();
    ids.sort();
    ids
}

pub async fn depth_becomes(broker: &dyn Broker, name: &str, wanted: u64) {
    let lane = lane(name);
    within(async {
        while broker.depth(&lane).await.unwrap() != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

pub async fn state_becomes(broker: &dyn Broker, wanted: impl Fn(&PublisherState) -> bool) -> PublisherState {
    let mut state = broker.publisher_state();
    within(async { state.wait_for(|state| wanted(state)).await.unwrap().clone() }).await
}

/// Publishes one job, again and again until it is confirmed, as the relay does.
pub async fn publish_at_last(broker: &dyn Broker, name: &str) -> ExecutionId {
    let job = outgoing(name);
    within(async {
        while broker.publish(vec![job.clone()]).await.ok() != Some(vec![Published::Confirmed]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    job.job.execution_id
}

/// Takes and acks until this job comes.
pub async fn take_until(subscription: &mut dyn Subscription, wanted: &ExecutionId) {
    loop {
        let delivery = next(subscription).await;
        let found = id(&delivery) == *wanted;
        delivery.ack().await;
        if found {
            return;
        }
    }
}

pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .expect("what this test waits for did not happen")
}
