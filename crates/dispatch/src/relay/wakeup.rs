//! Wake-up of the relay: what makes it look before its next look is due.

use crate::task::Wakeup;

/// For whoever has just made an execution due: a child, a retry, somebody who was written to. The relay of the same process
/// then looks at once. Should nobody hear it, the next look finds the same. Clones wake the same relay.
#[derive(Debug, Clone, Default)]
pub struct RelayWakeup(Wakeup);

impl RelayWakeup {
    /// Call it after the commit that made something due. However often it is called before the relay looks, it looks once.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// Returns when it was woken since the last return.
    pub async fn woken(&self) {
        self.0.woken().await;
    }
}
