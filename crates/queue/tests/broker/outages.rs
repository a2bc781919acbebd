//! Outages: RabbitMQ behind a network that fails.

use std::time::Duration;

use gristmill_queue::{Broker, Error, PublisherLink, PublisherState, RabbitMq, RabbitMqOptions};
use gristmill_testkit::{Proxy, TestBroker};

use crate::support::{outgoing, publish, publish_at_last, state_becomes, subscribe, take_until};

/// Through the proxy, and quick to despair.
fn through(proxy: &Proxy, queues: &TestBroker) -> RabbitMqOptions {
    let mut options = queues.options().clone();
    options.url = proxy.url(&options.url);
    options.connect_timeout = Duration::from_millis(500);
    options.confirm_timeout = Duration::from_millis(500);
    options.answer_timeout = Duration::from_secs(2);
    options.max_backoff = Duration::from_millis(100);
    options
}

fn disconnected(state: &PublisherState) -> bool {
    state.link == PublisherLink::Disconnected
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_and_consuming_go_on_after_cut_connections() {
    let queues = TestBroker::new(&["default"]);
    let proxy = Proxy::to(&queues.options().url).await;
    let broker = RabbitMq::start(through(&proxy, &queues)).await.unwrap();
    let mut subscription = subscribe(&broker, &["default"], 5);
    for _ in 0..3 {
        let sent = publish_at_last(&broker, "default").await;
        take_until(&mut *subscription, &sent).await;
        proxy.cut();
        state_becomes(&broker, disconnected).await;
        state_becomes(&broker, PublisherState::is_connected).await;
    }
    broker.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_at_the_start_is_waited_for() {
    let queues = TestBroker::new(&["default"]);
    let proxy = Proxy::to(&queues.options().url).await;
    proxy.refuse();
    let broker = RabbitMq::start(through(&proxy, &queues)).await.unwrap();
    let mut subscription = subscribe(&broker, &["default"], 5);
    assert!(matches!(
        broker.publish(vec![outgoing("default")]).await,
        Err(Error::Disconnected)
    ));
    broker.ping().await.unwrap_err();

    proxy.accept();
    state_becomes(&broker, PublisherState::is_connected).await;
    let sent = publish(&broker, "default", 1).await;
    take_until(&mut *subscription, &sent[0]).await;
    broker.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_network_costs_a_timeout_and_not_the_process() {
    let queues = TestBroker::new(&["default"]);
    let proxy = Proxy::to(&queues.options().url).await;
    let broker = RabbitMq::start(through(&proxy, &queues)).await.unwrap();
    let mut subscription = subscribe(&broker, &["default"], 5);
    let sent = publish(&broker, "default", 1).await;
    take_until(&mut *subscription, &sent[0]).await;

    proxy.freeze();
    let unknown = broker.publish(vec![outgoing("default")]).await.unwrap_err();
    assert!(matches!(unknown, Error::Timeout { .. }), "{unknown:?}");
    state_becomes(&broker, disconnected).await;
    proxy.thaw();
    state_becomes(&broker, PublisherState::is_connected).await;
    let sent = publish_at_last(&broker, "default").await;
    take_until(&mut *subscription, &sent).await;
}
