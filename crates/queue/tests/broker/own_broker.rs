//! RabbitMQ stopped, killed and out of memory: on a server of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gristmill_queue::{Broker, Error, Published, PublisherLink, PublisherState};
use gristmill_testkit::TestBroker;
use tempfile::TempDir;

use crate::support::{
    lane, next, outgoing, publish, publish_at_last, state_becomes, subscribe, take, take_until, within,
};

/// A RabbitMQ server that may be killed. Dropping it stops the server and deletes its data.
struct Server {
    directory: TempDir,
}

impl Server {
    fn start() -> Self {
        let server = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        server.up();
        server
    }

    fn url(&self) -> String {
        let exports = self.script("env", &[]);
        let exports = String::from_utf8(exports.stdout).unwrap();
        let url = exports
            .lines()
            .find_map(|line| line.strip_prefix("export AMQP_URL="));
        url.unwrap().to_owned()
    }

    /// At the address of before, where there was one.
    fn up(&self) {
        self.script("up", &["--only", "rabbitmq"]);
    }

    fn down(&self) {
        self.script("down", &[]);
    }

    fn kill(&self) {
        let pid = std::fs::read_to_string(self.place().join("rabbitmq.pid")).unwrap();
        check(Command::new("kill").args(["-KILL", pid.trim()]).output().unwrap());
    }

    fn ctl(&self, arguments: &[&str]) {
        self.script("ctl", arguments);
    }

    fn place(&self) -> PathBuf {
        self.directory.path().join("services")
    }

    fn script(&self, command: &str, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services");
        check(
            Command::new(script)
                .arg(command)
                .arg("--dir")
                .arg(self.place())
                .args(arguments)
                .output()
                .unwrap(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script("down", &["--wipe"]);
    }
}

fn check(output: Output) -> Output {
    assert!(output.status.success(), "{output:?}");
    output
}

fn disconnected(state: &PublisherState) -> bool {
    state.link == PublisherLink::Disconnected
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_may_be_stopped_and_killed_and_no_confirmed_job_is_lost() {
    let server = Server::start();
    let queues = TestBroker::on(&server.url(), &["default"]);
    let broker = queues.start().await;
    let mut subscription = subscribe(&broker, &["default"], 5);
    let endings: [fn(&Server); 2] = [Server::down, Server::kill];
    for end in endings {
        let sent = publish_at_last(&broker, "default").await;
        let held = next(&mut *subscription).await;
        end(&server);
        state_becomes(&broker, disconnected).await;
        assert!(matches!(
            broker.publish(vec![outgoing("default")]).await,
            Err(Error::Disconnected)
        ));
        held.ack().await;

        server.up();
        state_becomes(&broker, PublisherState::is_connected).await;
        // Confirmed and never acked: it comes again.
        take_until(&mut *subscription, &sent).await;
    }
    assert_eq!(broker.publisher_state().borrow().created[&lane("default")], 1);
    broker.close().await;
    drop(queues);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_closed_by_the_broker_are_rebuilt() {
    let server = Server::start();
    let queues = TestBroker::on(&server.url(), &["default"]);
    let broker = queues.start().await;
    let mut subscription = subscribe(&broker, &["default"], 5);
    for _ in 0..2 {
        let sent = publish_at_last(&broker, "default").await;
        take_until(&mut *subscription, &sent).await;
        let mut state = broker.publisher_state();
        state.mark_unchanged();
        server.ctl(&["close_all_connections", "a test"]);
        state.changed().await.unwrap();
        state_becomes(&broker, PublisherState::is_connected).await;
    }
    let sent = publish_at_last(&broker, "default").await;
    take_until(&mut *subscription, &sent).await;
    broker.close().await;
    drop(queues);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_blocks_publishing_and_lets_acks_pass() {
    let server = Server::start();
    let queues = TestBroker::on(&server.url(), &["default"]);
    let mut options = queues.options().clone();
    options.confirm_timeout = std::time::Duration::from_secs(1);
    let broker = gristmill_queue::RabbitMq::start(options).await.unwrap();
    let mut subscription = subscribe(&broker, &["default"], 1);
    publish(&broker, "default", 3).await;
    let first = next(&mut *subscription).await;

    server.ctl(&["set_vm_memory_high_watermark", "0.00001"]);
    // A connection learns of the alarm when it publishes; what it sent then is not confirmed.
    assert!(matches!(
        broker.publish(vec![outgoing("default")]).await,
        Err(Error::Timeout { .. })
    ));
    state_becomes(&broker, |state| state.link == PublisherLink::Blocked).await;
    assert!(matches!(
        broker.publish(vec![outgoing("default")]).await,
        Err(Error::Blocked)
    ));
    // The prefetch is one: the next comes only when the broker has taken the ack.
    first.ack().await;
    for delivery in take(&mut *subscription, 1).await {
        delivery.ack().await;
    }

    server.ctl(&["set_vm_memory_high_watermark", "0.4"]);
    state_becomes(&broker, PublisherState::is_connected).await;
    let sent = publish_at_last(&broker, "default").await;
    take_until(&mut *subscription, &sent).await;
    broker.close().await;
    drop(queues);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_whose_limit_is_taken_away_takes_jobs_again() {
    let server = Server::start();
    let queues = TestBroker::on(&server.url(), &["default"]);
    let broker = queues.start().await;
    let limit = r#"{"max-length":1,"overflow":"reject-publish"}"#;
    server.ctl(&["set_policy", "--apply-to", "queues", "full", "jobs", limit]);
    within(async {
        while broker.publish(vec![outgoing("default")]).await.unwrap() != [Published::Refused] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.ctl(&["clear_policy", "full"]);
    // Nothing is taken from the queue meanwhile: that would be another reason for it to take jobs.
    publish_at_last(&broker, "default").await;
    broker.close().await;
    drop(queues);
}
