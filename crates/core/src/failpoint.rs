//! Failpoint: named points at the boundaries of the protocol, at which a test may have the process killed, stopped or
//! held up.
//!
//! Only with the feature `failpoints`, which no normal build has: without it [`reach`] is empty and the variable means
//! nothing.

#[cfg(feature = "failpoints")]
mod armed;

#[cfg(feature = "failpoints")]
pub use armed::{arm, reach};

/// The environment variable that says what happens where: `POINT=ACTION` or `POINT=ACTION@HIT`, separated by commas.
///
/// An action is `kill` (SIGKILL), `stop` (SIGSTOP) or a pause such as `250ms`, which holds up the thread, not only the
/// task. With a hit it happens that one time, the first being 1; without, every time.
pub const VARIABLE: &str = "GRISTMILL_FAILPOINTS";

/// Every point there is.
pub const POINTS: &[&str] = &[
    // Executions are to be recorded: before the statement, and after its commit, with nobody answered yet.
    "submit.begun",
    "submit.committed",
    // Jobs are to be published: before the broker sees them, and after its confirm, which is not written down yet.
    "publish.begun",
    "publish.confirmed",
    // The relay has moved its rows along, and published nothing yet.
    "relay.claimed",
    // Jobs have come to a worker: nothing is claimed; claimed and not acknowledged; acknowledged and not started.
    "job.delivered",
    "job.claimed",
    "job.acknowledged",
    // An effect, or several, ended, and nothing of that is in the journal.
    "effect.ended",
    // Entries were committed to the journal, the beginning of effects among them or their end.
    "append.committed",
    // An execution has ended: before the transaction that says so, and after.
    "settle.begun",
    "settle.committed",
    // A worker was told to stop: nothing is given back yet; and with each execution that is.
    "drain.begun",
    "release.begun",
];

/// Says that the process is at this point, which is one of [`POINTS`].
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach(_point: &'static str) {}
