//! SQLite as the embedded database: one connection writes, a few others read, and one process at a time owns the
//! directory that the file is in.

mod blocking;
mod connect;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use diesel::SqliteConnection;
use diesel::connection::AnsiTransactionManager;
use diesel_async::TransactionManager as _;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::{SyncConnectionWrapper, SyncTransactionManagerWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::connection::erased::{Answer, Work, erase, place};
use crate::connection::task::in_own_task;
use crate::{Error, Options};
use blocking::Blocking;
use connect::{READER, WRITER, connect, file_url, lock, unusable};

/// A connection whose calls run on the runtime's blocking threads.
pub(crate) type SqliteAsync = SyncConnectionWrapper<SqliteConnection, Blocking>;

type Manager = SyncTransactionManagerWrapper<AnsiTransactionManager>;

/// The connections to one file. Clones share them.
#[derive(Clone)]
pub(crate) struct SqlitePool {
    writer: Arc<Mutex<SqliteAsync>>,
    readers: Pool<SqliteAsync>,
    acquire_timeout: Duration,
    /// Given back by the operating system when the last clone is dropped or the process dies, however it dies.
    _lock: Arc<File>,
}

impl SqlitePool {
    /// Opens the file at `path`; creates it and its directory when they are missing.
    ///
    /// # Errors
    /// [`Error::Options`] when the directory cannot be used or another process has it, [`Error::Connect`] when the file
    /// is no database or cannot be written.
    pub(crate) fn open(path: &str, options: &Options) -> Result<Self, Error> {
        let path = Path::new(path);
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(|error| unusable(directory, &error))?;
        let lock = lock(directory)?;
        let url = file_url(path)?;
        let writer = connect(&url, WRITER).map_err(|error| Error::Connect(error.into()))?;
        Ok(Self {
            writer: Arc::new(Mutex::new(SqliteAsync::with_runtime(writer, Blocking))),
            readers: readers(&url, options)?,
            acquire_timeout: options.acquire_timeout,
            _lock: Arc::new(lock),
        })
    }

    /// Runs `body`, which only reads: its connection cannot write.
    pub(crate) async fn read<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut SqliteAsync) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase(body);
        let mut reader = self.reader().await?;
        in_own_task(Box::pin(async move { work(&mut reader).await })).await?;
        answer.take()
    }

    /// Runs `body` in a transaction, committed when it answers with `Ok`.
    pub(crate) async fn transaction<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut SqliteAsync) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase(body);
        self.transact(work).await?;
        answer.take()
    }

    async fn transact(&self, work: Work<SqliteAsync>) -> Result<(), Error> {
        let mut writer = self.writer().await?.0;
        in_own_task(Box::pin(async move { immediate(&mut writer, work).await })).await
    }

    /// Like [`SqlitePool::read`], on one blocking thread from the first statement to the last.
    pub(crate) async fn read_blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase_blocking(work);
        let mut reader = self.reader().await?;
        in_own_task(Box::pin(async move {
            reader
                .spawn_blocking(move |connection| Ok(work(connection)))
                .await?
        }))
        .await?;
        answer.take()
    }

    /// Like [`SqlitePool::transaction`], on one blocking thread from BEGIN to COMMIT: a group of a thousand members
    /// would otherwise change threads thousands of times.
    pub(crate) async fn transaction_blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (_, answer) = self.writer().await?.transaction(work).await?;
        Ok(answer)
    }

    /// Runs the migrations that the file lacks.
    pub(crate) async fn migrate(&self, migrations: EmbeddedMigrations) -> Result<(), Error> {
        let mut writer = self.writer().await?.0;
        in_own_task(Box::pin(async move {
            let run = move |connection: &mut SqliteConnection| {
                Ok(connection
                    .run_pending_migrations(migrations)
                    .map(|_| ())
                    .map_err(Error::Migrate))
            };
            writer.spawn_blocking(run).await?
        }))
        .await
    }

    /// The right to write, as soon as whoever has it is done.
    pub(crate) async fn writer(&self) -> Result<Writer, Error> {
        let writer = Arc::clone(&self.writer).lock_owned();
        let granted = tokio::time::timeout(self.acquire_timeout, writer).await;
        granted
            .map(Writer)
            .map_err(|elapsed| Error::Connect(elapsed.into()))
    }

    async fn reader(&self) -> Result<Object<SqliteAsync>, Error> {
        self.readers
            .get()
            .await
            .map_err(|error| Error::Connect(error.into()))
    }
}

/// The right to write; everybody else waits until it is dropped.
pub(crate) struct Writer(OwnedMutexGuard<SqliteAsync>);

impl Writer {
    /// Runs `work` as one transaction and gives the right back, for another with nobody in between.
    ///
    /// It begins IMMEDIATE: a transaction that reads first and then has to write is refused at once, without waiting,
    /// when an operator's shell wrote in between.
    pub(crate) async fn transaction<T, F>(self, work: F) -> Result<(Self, T), Error>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase_blocking(work);
        let right = self.transact(work).await?;
        Ok((right, answer.take()?))
    }

    async fn transact(mut self, work: BlockingWork) -> Result<Self, Error> {
        let (place, right) = place();
        in_own_task(Box::pin(async move {
            let run = move |connection: &mut SqliteConnection| Ok(connection.immediate_transaction(work));
            self.0.spawn_blocking(run).await??;
            place.put(Ok(self))
        }))
        .await?;
        right.take()
    }
}

/// One transaction, which begins IMMEDIATE: the wrapper has this only for tokio's own way of spawning.
async fn immediate(connection: &mut SqliteAsync, work: Work<SqliteAsync>) -> Result<(), Error> {
    connection
        .spawn_blocking(|inner| AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE"))
        .await?;
    match work(connection).await {
        Ok(()) => Ok(Manager::commit_transaction(connection).await?),
        Err(error) => {
            Manager::rollback_transaction(connection).await?;
            Err(error)
        }
    }
}

/// Work on a blocking thread, erased as [`Work`] is.
type BlockingWork = Box<dyn FnOnce(&mut SqliteConnection) -> Result<(), Error> + Send>;

fn erase_blocking<T, F>(work: F) -> (BlockingWork, Answer<T>)
where
    F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    let (place, answer) = place();
    (Box::new(move |connection| place.put(work(connection))), answer)
}

fn readers(url: &str, options: &Options) -> Result<Pool<SqliteAsync>, Error> {
    let mut config = ManagerConfig::default();
    // There is no server that could have gone away.
    config.recycling_method = RecyclingMethod::Fast;
    // A connection works on the runtime that it was opened on, and outlives whoever asked for it first: the thread that
    // renews leases, say, which ends with its worker.
    let runtime = Handle::try_current().ok();
    config.custom_setup = Box::new(move |url| {
        let _entered = runtime.as_ref().map(Handle::enter);
        let connected = connect(url, READER).map(|reader| SqliteAsync::with_runtime(reader, Blocking));
        std::future::ready(connected).boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(options.pool_size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.acquire_timeout))
        .build()
        .map_err(|error| Error::Options(format!("the connection pool cannot be built: {error}")))
}
