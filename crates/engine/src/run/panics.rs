//! Panics: the one place where a panic in a node becomes that node's failure.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use futures_util::future::BoxFuture;

use crate::NodeFailure;

/// Runs `work`.
///
/// # Errors
/// What `work` fails with; code `panic` when it panics.
// What `work` leaves half done is its own and is dropped with it: the engine hands out nothing that can be changed.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, NodeFailure>) -> Result<T, NodeFailure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no reason given");
        Err(NodeFailure::last("panic", format!("the node panicked: {text}")))
    })
}

/// Runs `future`, with [`caught`] around each of its steps.
pub(crate) fn caught_future<T>(
    mut future: BoxFuture<'static, Result<T, NodeFailure>>,
) -> impl Future<Output = Result<T, NodeFailure>> {
    poll_fn(move |context| {
        match caught(|| match future.as_mut().poll(context) {
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(failure) => Poll::Ready(Err(failure)),
        }
    })
}
