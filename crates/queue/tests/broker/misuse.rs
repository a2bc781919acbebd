//! Misuse: RabbitMQ in a state that nobody meant it to be in.

use std::error::Error as _;
use std::sync::Arc;

use gristmill_queue::{Broker, Error, Published, RabbitMq};
use gristmill_testkit::TestBroker;
use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};

use crate::support::{id, lane, next, outgoing, publish, publish_at_last, state_becomes, subscribe, within};

/// A connection that goes round the broker under test.
async fn by_hand(queues: &TestBroker) -> (Connection, Channel) {
    let connection = Connection::connect(&queues.options().url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn delete_queue(queues: &TestBroker, lane: &str) {
    let (_connection, channel) = by_hand(queues).await;
    let queue = format!("{}.jobs.{lane}", queues.options().prefix);
    channel
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_publishers_get_the_right_outcomes_when_half_of_their_jobs_are_refused() {
    let queues = TestBroker::new(&["default"]);
    let broker = Arc::new(queues.start().await);
    let (_connection, channel) = by_hand(&queues).await;
    let full = format!("{}.full", queues.options().prefix);
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert(
        "x-overflow".into(),
        AMQPValue::LongString("reject-publish".into()),
    );
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(full.as_str().into(), exclusive, arguments)
        .await
        .unwrap();
    let exchange = format!("{}.jobs", queues.options().prefix);
    let (options, no_arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(full.into(), exchange.into(), "full".into(), options, no_arguments)
        .await
        .unwrap();
    publish(&*broker, "full", 1).await;

    let publishers = (0..8).map(|publisher: usize| {
        let broker = broker.clone();
        tokio::spawn(async move {
            for round in 0..100 {
                let wanted: Vec<_> = (0..1 + (publisher * 5 + round) % 13)
                    .map(|n| match (n * 3 + publisher + round) % 6 {
                        0..3 => Published::Refused,
                        3..5 => Published::Confirmed,
                        _ => Published::Unroutable,
                    })
                    .collect();
                let jobs = wanted.iter().map(|wanted| {
                    outgoing(match wanted {
                        Published::Refused => "full",
                        Published::Confirmed => "default",
                        Published::Unroutable => "nowhere",
                    })
                });
                assert_eq!(broker.publish(jobs.collect()).await.unwrap(), wanted);
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        within(publisher).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_under_its_consumer_is_declared_and_consumed_again() {
    let queues = TestBroker::new(&["default", "bulk"]);
    let broker = queues.start().await;
    assert_eq!(broker.publisher_state().borrow().created[&lane("bulk")], 1);
    let mut subscription = subscribe(&broker, &["default", "bulk"], 5);
    publish(&broker, "bulk", 1).await;
    next(&mut *subscription).await.ack().await;

    delete_queue(&queues, "bulk").await;
    let state = state_becomes(&broker, |state| state.created[&lane("bulk")] == 2).await;
    assert_eq!(state.created[&lane("default")], 1);
    let sent = publish_at_last(&broker, "bulk").await;
    assert_eq!(id(&next(&mut *subscription).await), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_under_its_publisher_is_declared_again() {
    let queues = TestBroker::new(&["default"]);
    let broker = queues.start().await;
    delete_queue(&queues, "default").await;
    assert_eq!(
        broker.publish(vec![outgoing("default")]).await.unwrap(),
        [Published::Unroutable]
    );
    state_becomes(&broker, |state| state.created[&lane("default")] == 2).await;
    publish(&broker, "default", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_exist_are_not_reported_as_created() {
    let queues = TestBroker::new(&["default"]);
    let first = queues.start().await;
    let second = queues.start().await;
    assert_eq!(first.publisher_state().borrow().created.len(), 1);
    assert!(second.publisher_state().borrow().created.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_arguments_ends_the_start_with_an_error_that_names_it() {
    let queues = TestBroker::new(&["default"]);
    let _first = queues.start().await;
    let mut options = queues.options().clone();
    options.delivery_limit += 1;
    let error = RabbitMq::start(options).await.err().unwrap();
    assert!(error.needs_operator());
    let text = error.to_string();
    assert!(
        text.contains(&format!("`{}.dead`", queues.options().prefix)),
        "{text}"
    );
    assert!(text.contains("rabbitmqctl delete_queue"), "{text}");
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("x-delivery-limit"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_ends_the_start() {
    let queues = TestBroker::new(&["default"]);
    let mut options = queues.options().clone();
    let (scheme, rest) = options.url.split_once("://").unwrap();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    options.url = format!("{scheme}://guest:wrong@{host}");
    let error = RabbitMq::start(options).await.err().unwrap();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
    assert!(error.needs_operator());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_amqp_url_ends_the_start() {
    let queues = TestBroker::on("http://127.0.0.1", &[]);
    let error = RabbitMq::start(queues.options().clone()).await.err().unwrap();
    assert!(
        matches!(error, Error::Url(_)) && error.needs_operator(),
        "{error:?}"
    );
}
