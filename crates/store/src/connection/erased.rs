//! Erased work: bodies of many types behind one, so that pools, transactions and tasks are compiled once, and not once
//! for each body and database.

use futures_util::future::BoxFuture;
use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::Error;

/// Work on a connection. When it ends with `Ok`, its answer stands in the [`Answer`] that came with it.
pub(crate) type Work<C> = Box<dyn for<'c> FnOnce(&'c mut C) -> BoxFuture<'c, Result<(), Error>> + Send>;

/// Where work finds its answer's place.
pub(crate) struct Place<T>(Sender<T>);

impl<T> Place<T> {
    /// Puts the answer into its place. Whoever asked may have gone away: the work is done all the same.
    pub(crate) fn put(self, result: Result<T, Error>) -> Result<(), Error> {
        result.map(|answer| drop(self.0.send(answer)))
    }
}

/// What erased work came to.
pub(crate) struct Answer<T>(Receiver<T>);

impl<T> Answer<T> {
    /// The answer of work that has ended with `Ok`.
    pub(crate) fn take(mut self) -> Result<T, Error> {
        self.0.try_recv().map_err(|_| Error::no_answer())
    }
}

/// A place for one answer.
pub(crate) fn place<T>() -> (Place<T>, Answer<T>) {
    let (sender, receiver) = oneshot::channel();
    (Place(sender), Answer(receiver))
}

/// The body as [`Work`], and where its answer will stand.
pub(crate) fn erase<C, T, F>(body: F) -> (Work<C>, Answer<T>)
where
    F: for<'c> FnOnce(&'c mut C) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    T: Send + 'static,
    C: 'static,
{
    let (place, answer) = place();
    let work: Work<C> = Box::new(move |connection| {
        let body = body(connection);
        Box::pin(async move { place.put(body.await) })
    });
    (work, answer)
}
