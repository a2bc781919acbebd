//! The body of a route that takes many requests at once, and so has a limit of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::document::required;
use crate::http::error::Error;
use crate::state::AppState;

/// A batch as it was sent: it is read item by item, for as a tree of values it would take many times its size.
pub(crate) struct Batch {
    pub(crate) body: Bytes,
    /// Its bytes, for as long as it is under way.
    _room: OwnedSemaphorePermit,
}

/// The bytes of all batches that are under way at a time.
pub(crate) struct BatchRoom {
    /// In KiB: a semaphore counts to 2^32 at a time.
    room: Arc<Semaphore>,
    total: u32,
}

/// How many of the largest batches may be under way.
const AT_ONCE: usize = 4;

/// How long a batch waits for its room: others are answered within seconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl BatchRoom {
    pub(crate) fn for_batches_of(max_bytes: usize) -> Self {
        let total = kib(max_bytes.saturating_mul(AT_ONCE));
        Self {
            room: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// Waits until there is room for so many bytes more.
    ///
    /// # Errors
    /// [`Error::TooManyBatches`]
    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let room = self.room.clone().acquire_many_owned(kib(bytes).min(self.total));
        match timeout(PATIENCE, room).await {
            Ok(Ok(room)) => Ok(room),
            // Nobody closes the semaphore.
            Ok(Err(_)) | Err(_) => Err(Error::TooManyBatches),
        }
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

impl FromRequest<Arc<AppState>> for Batch {
    type Rejection = Error;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Error> {
        let limit = state.options.max_batch_bytes;
        // What does not say its size may have any.
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let room = state.batches.take(length.unwrap_or(limit).min(limit)).await?;
        Ok(Self {
            body: required(request, state, limit).await?,
            _room: room,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_batch_waits_for_its_room() {
        const MAX: usize = 1024 * 1024;
        let batches = BatchRoom::for_batches_of(MAX);
        let mut under_way = Vec::new();
        for _ in 0..AT_ONCE {
            under_way.push(batches.take(MAX).await.unwrap());
        }
        assert!(batches.take(1).now_or_never().is_none());
        under_way.pop();
        let small = batches.take(1).await.unwrap();
        assert!(batches.take(MAX).now_or_never().is_none());
        drop(small);
        assert!(matches!(batches.take(MAX).now_or_never(), Some(Ok(_))));
        // What says that it is larger than it may be is read to the limit only.
        drop(under_way);
        assert!(matches!(batches.take(usize::MAX).now_or_never(), Some(Ok(_))));
    }
}
