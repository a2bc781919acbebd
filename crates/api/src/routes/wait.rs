//! The wait of `Prefer: wait`.

use std::time::Duration;

use gristmill_core::ExecutionId;
use gristmill_store::Ended;

use crate::state::AppState;

/// How the execution ended; `None` when the wait was over first, or the process stops.
pub(crate) async fn wait_for_end(state: &AppState, id: &ExecutionId, wait: Duration) -> Option<Ended> {
    tokio::select! {
        ended = state.services.end_watch.ended(id.clone()) => ended,
        () = tokio::time::sleep(wait) => None,
        () = state.shutdown.cancelled() => None,
    }
}
