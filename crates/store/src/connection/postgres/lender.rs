//! Connections of one role: lent, and taken back only if nothing is left on them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;

use super::connect::Connector;
use super::role::Role;
use crate::connection::erased::Work;
use crate::connection::task::in_own_task;
use crate::{Error, Options};

/// How much longer than its own limits a statement may stay without an answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);

/// Lends the connections of one role.
#[derive(Clone)]
pub(super) struct Lender {
    pool: Pool<AsyncPgConnection>,
    acquire_timeout: Duration,
    answer_timeout: Duration,
}

impl Lender {
    /// Connects on first use. Without a role, connections stay the URL's user.
    pub(super) fn new(options: &Options, role: Option<Role>) -> Result<Self, Error> {
        let connector = Arc::new(Connector::new(options, role)?);
        let mut config = ManagerConfig::default();
        // Fast still drops closed connections and open transactions, and saves a round trip each time.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| Connector::clone(&connector).connect().boxed());
        let manager = AsyncDieselConnectionManager::new_with_config(options.url.clone(), config);
        let pool = Pool::builder(manager)
            .max_size(options.pool_size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.acquire_timeout))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(options.connect_timeout))
            .build()
            .map_err(|error| Error::Options(format!("the connection pool cannot be built: {error}")))?;
        Ok(Self {
            pool,
            acquire_timeout: options.acquire_timeout,
            answer_timeout: options.statement_timeout + ANSWER_MARGIN,
        })
    }

    /// Runs `work` on a connection, in a task of its own.
    pub(super) async fn run(&self, work: Work<AsyncPgConnection>) -> Result<(), Error> {
        let lender = self.clone();
        in_own_task(Box::pin(async move {
            let mut lent = Lent(Some(lender.get().await?));
            let Some(connection) = lent.0.as_mut() else {
                return Err(Error::no_answer());
            };
            // A frozen server answers nothing, not even its own timeouts.
            let answered = tokio::time::timeout(lender.answer_timeout, work(connection)).await;
            let result = answered.unwrap_or_else(|_| Err(Error::no_answer()));
            if !matches!(result, Err(Error::Lost(_))) {
                lent.give_back();
            }
            result
        }))
        .await
    }

    async fn get(&self) -> Result<Object<AsyncPgConnection>, Error> {
        let asked = Instant::now();
        // The pool's own timeouts run one after another, once for each stale connection that it finds.
        let got = match tokio::time::timeout(self.acquire_timeout, self.pool.get()).await {
            Ok(got) => got.map_err(|error| Error::Connect(error.into())),
            Err(elapsed) => Err(Error::Connect(elapsed.into())),
        };
        metrics::histogram!("gristmill_database_acquire_seconds").record(asked.elapsed());
        got
    }
}

/// A connection that is lent. Unless it is given back it is closed: nobody knows what it is in the middle of (after a
/// panic a transaction may be open, in which a tenant is named), or it is dying and has not noticed yet. The next
/// borrower must not get it.
struct Lent(Option<Object<AsyncPgConnection>>);

impl Lent {
    fn give_back(&mut self) {
        self.0 = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}
