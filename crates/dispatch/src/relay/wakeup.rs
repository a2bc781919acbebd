//! What makes a relay look before its next look is due.

use std::sync::Arc;

use tokio::sync::Notify;

/// Rung by whoever has just made an execution due: a child, a retry, somebody who was written to. The relay of the same
/// process then looks at once. Should nobody hear it, the next look finds the same. Clones ring the same bell.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Call it after the commit that made something due. However often it is rung before the relay looks, it looks once.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Returns when it was rung since the last return.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}
