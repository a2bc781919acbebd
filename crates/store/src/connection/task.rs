//! The one place where work on a connection gets a task of its own.

use std::future::Future;

use crate::Error;

/// Runs `work` to its end even when the caller stops waiting: a request that its client gave up must not leave a
/// transaction open, or a connection in the middle of a statement, for the pool's next borrower.
pub(crate) async fn in_own_task<T>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
{
    tokio::spawn(work).await.map_err(Error::Task)?
}
