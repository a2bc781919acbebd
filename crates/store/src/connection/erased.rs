//! Erased work: bodies of many types behind one, so that pools, transactions and tasks are compiled once, and not once
//! for each body and database.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::Error;

/// Work on a connection. When it ends with `Ok`, its answer stands in the [`Answer`] that came with it.
pub(crate) type Work<C> = Box<dyn for<'c> FnOnce(&'c mut C) -> BoxFuture<'c, Result<(), Error>> + Send>;

/// Where work finds its answer's place. A shared cell rather than a channel: nobody waits on it, the work's own end tells,
/// and it is compiled for each type of answer.
pub(crate) struct Place<T>(Arc<Mutex<Option<T>>>);

impl<T> Place<T> {
    /// Puts the answer into its place. Whoever asked may have gone away: the work is done all the same.
    pub(crate) fn put(self, result: Result<T, Error>) -> Result<(), Error> {
        result.map(|answer| self.fill(answer))
    }

    /// Puts in what cannot fail.
    pub(crate) fn fill(self, answer: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

/// What erased work came to.
pub(crate) struct Answer<T>(Arc<Mutex<Option<T>>>);

impl<T> Answer<T> {
    /// The answer of work that has ended with `Ok`.
    pub(crate) fn take(self) -> Result<T, Error> {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.ok_or_else(Error::no_answer)
    }
}

/// A place for one answer.
pub(crate) fn place<T>() -> (Place<T>, Answer<T>) {
    let cell = Arc::new(Mutex::new(None));
    (Place(cell.clone()), Answer(cell))
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
