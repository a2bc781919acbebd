//! The ground that a benchmark's own system stands on: a database and a broker prefix that nobody else has.

use gristmill_bench::{LANE, SpawnOptions};
use gristmill_testkit::{TestBroker, TestDatabase};

use super::Error;
use crate::binary;

/// Dropping it deletes queues and database.
pub(super) struct Ground {
    database: TestDatabase,
    broker: TestBroker,
}

impl Ground {
    /// On the servers of `DATABASE_URL` and `AMQP_URL`, which are known to be set.
    pub(super) async fn new() -> Self {
        Self {
            broker: TestBroker::new(&[LANE]),
            database: TestDatabase::postgres().await,
        }
    }

    /// A system on it: the binary that was built beside this program.
    pub(super) fn options(&self) -> Result<SpawnOptions, Error> {
        let broker = self.broker.options();
        Ok(SpawnOptions {
            binary: binary::beside()?,
            database_url: self.database.url().to_owned(),
            broker_url: broker.url.clone(),
            prefix: broker.prefix.clone(),
        })
    }
}
