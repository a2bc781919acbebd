//! Connections to PostgreSQL: pooled, bounded in time, and given back clean.

mod connect;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::task::in_own_task;
use crate::{Error, Options};
use connect::Connector;

pub use connect::connect_postgres;

/// How much longer than its own limits a statement may stay without an answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);

/// A pool of PostgreSQL connections.
#[derive(Clone)]
pub(crate) struct PostgresPool {
    pool: Pool<AsyncPgConnection>,
    connector: Arc<Connector>,
    acquire_timeout: Duration,
    answer_timeout: Duration,
}

impl PostgresPool {
    /// A pool that connects on first use.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let connector = Arc::new(Connector::new(options)?);
        let mut config = ManagerConfig::default();
        // Fast still drops closed connections and open transactions, and saves a round trip each time.
        config.recycling_method = RecyclingMethod::Fast;
        let setup = Arc::clone(&connector);
        config.custom_setup = Box::new(move |_| Connector::clone(&setup).connect().boxed());
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
            connector,
            acquire_timeout: options.acquire_timeout,
            answer_timeout: options.statement_timeout + ANSWER_MARGIN,
        })
    }

    /// A connection outside of the pool, without its statement limits: for migrations.
    pub(crate) async fn connect_unlimited(&self) -> Result<AsyncPgConnection, Error> {
        self.connector
            .without_limits()
            .connect()
            .await
            .map_err(|error| Error::Connect(error.into()))
    }

    /// Runs `body`, which only reads, or is one statement that commits by itself.
    pub(crate) async fn run<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let pool = self.clone();
        in_own_task(async move {
            let mut connection = pool.get().await?;
            // A frozen server answers nothing, not even its own timeouts.
            let answered = tokio::time::timeout(pool.answer_timeout, body(&mut connection)).await;
            let result = answered.unwrap_or_else(|_| Err(Error::no_answer()));
            if matches!(result, Err(Error::Lost(_))) {
                // Nobody knows what it is in the middle of, or it is dying and has not noticed yet: the next borrower
                // must not get it.
                drop(Object::take(connection));
            }
            result
        })
        .await
    }

    /// Runs `body` in a transaction, committed when it answers with `Ok`.
    pub(crate) async fn transaction<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.run(move |connection| {
            Box::pin(async move {
                connection
                    .transaction::<T, Error, _>(async move |connection| body(connection).await)
                    .await
            })
        })
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
