//! Broker: exchanges and queues for one test, gone when the test is.

use gristmill_queue::{Lane, RabbitMq, RabbitMqOptions};

/// A prefix of its own on a RabbitMQ server. Dropping it deletes everything declared under it, after a panic too.
pub struct TestBroker {
    options: RabbitMqOptions,
}

impl TestBroker {
    /// On the server of `AMQP_URL`, with these lanes.
    ///
    /// # Panics
    /// When `AMQP_URL` is not set.
    pub fn new(lanes: &[&str]) -> Self {
        let url = std::env::var("AMQP_URL")
            .expect("AMQP_URL is not set: start the services with `eval \"$(scripts/services env)\"`");
        Self::on(&url, lanes)
    }

    /// On the server of this URL, with these lanes.
    pub fn on(url: &str, lanes: &[&str]) -> Self {
        let lanes = lanes.iter().copied().map(Lane::from).collect();
        let mut options = RabbitMqOptions::new(url, lanes);
        options.prefix = format!("test-{}", uuid::Uuid::new_v4().simple());
        Self { options }
    }

    /// How a process of this test reaches its broker; for changes, clone it.
    pub fn options(&self) -> &RabbitMqOptions {
        &self.options
    }

    /// A connected broker.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(&self) -> RabbitMq {
        RabbitMq::start(self.options.clone())
            .await
            .expect("the test's broker cannot be started")
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let options = self.options.clone();
        // A thread of its own, for a drop cannot await; and a server that the test has taken down has nothing to delete.
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime
                .block_on(RabbitMq::delete(&options))
                .map_err(std::io::Error::other)
        });
        if let Ok(Err(error)) = deleting.join() {
            eprintln!("the queues of `{}` stay behind: {error}", self.options.prefix);
        }
    }
}
