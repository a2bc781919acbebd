//! The admission to a stream: for how long it may go on.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::access::Permission;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use crate::auth::principal::{Credential, Principal};
use crate::state::AppState;

/// How long a stream lasts at most. Then the client comes again with the id of its last event: so streams spread over the
/// processes that there are by then.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The shortest time between two looks at a key: for a system that trusts none of them for a moment.
const SHORTEST: Duration = Duration::from_secs(1);

/// Whether who opened a stream may go on reading it. It is asked as often as of anybody who comes again and again.
pub(super) struct Admission {
    credential: Credential,
    state: Arc<AppState>,
    until: Instant,
    look_at: Instant,
}

impl Admission {
    /// The admission of a caller who has been let in just now.
    pub(super) fn of(principal: &Principal, credential: Credential, state: Arc<AppState>) -> Self {
        let mut admission = Self {
            credential,
            state,
            until: Instant::now() + LIFETIME,
            look_at: Instant::now(),
        };
        admission.look_later(principal);
        admission
    }

    fn look_later(&mut self, principal: &Principal) {
        let now = Instant::now();
        let usual = now + self.state.options.key_ttl.max(SHORTEST);
        // An expiry is kept to the moment; what is still good behind its own is not asked about again and again.
        let good_until = principal.good_until.map(Instant::from_std);
        self.look_at = match good_until.filter(|good_until| now < *good_until) {
            Some(good_until) => usual.min(good_until),
            None => usual,
        };
    }

    /// Whether the stream may go on.
    pub(super) async fn holds(&mut self) -> bool {
        let now = Instant::now();
        if self.state.shutdown.is_cancelled() || now >= self.until {
            return false;
        }
        if now < self.look_at {
            return true;
        }
        match self
            .credential
            .still(&self.state, Permission::WorkflowsView)
            .await
        {
            Ok(principal) => self.look_later(&principal),
            // While the database is away nothing can be revoked, and nothing is told either.
            Err(error) if error.status().is_server_error() => {
                let error: &dyn std::error::Error = &error;
                warn!(error, "whether a stream of events may go on could not be asked");
                self.look_at = now + self.state.options.key_ttl.max(SHORTEST);
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                debug!(error, "a stream of events has ended with the right to read it");
                return false;
            }
        }
        true
    }

    /// Ends when it has to be asked again.
    pub(super) async fn run_out(&self) {
        tokio::select! {
            () = self.state.shutdown.cancelled() => {}
            () = sleep_until(self.until.min(self.look_at)) => {}
        }
    }
}
