//! The room for batches: how many bytes of them may be under way at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::error::Error;

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
    pub(crate) async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
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
