//! Blocking: SQLite's calls on the runtime's blocking threads, erased, so that tokio's task is compiled once and not once
//! for each statement.

use std::error::Error;

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::future::BoxFuture;

use crate::connection::erased::place;

/// What [`SyncConnectionWrapper`](diesel_async::sync_connection_wrapper::SyncConnectionWrapper) spawns with.
pub(crate) struct Blocking;

impl SpawnBlocking for Blocking {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        let (place, answer) = place();
        let run = spawn(Box::new(move || place.fill(task())));
        Box::pin(async move {
            run.await?;
            Ok(answer.take()?)
        })
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// Started now, as tokio's own is, and not when it is first waited for.
fn spawn(task: Box<dyn FnOnce() + Send>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(task)
}
