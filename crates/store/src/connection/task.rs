//! Tasks: the one place where work on a connection gets one of its own.

use futures_util::future::BoxFuture;

use crate::Error;

/// Runs `work` to its end even when the caller stops waiting: a request that its client gave up must not leave a
/// transaction open, or a connection in the middle of a statement, for the pool's next borrower.
pub(crate) async fn in_own_task(work: BoxFuture<'static, Result<(), Error>>) -> Result<(), Error> {
    tokio::spawn(work).await.map_err(Error::Task)?
}
