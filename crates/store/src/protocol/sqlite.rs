//! SQLite: the protocol in SQLite's words.
//!
//! One connection writes, one transaction after the other, each on one blocking thread from BEGIN to COMMIT. So there
//! are no locked rows to skip and no order to lock them in; what is left of the races are callers that come late, and
//! their guards stand in the `WHERE` of each statement, as in PostgreSQL. Where members carry documents the statement
//! runs once for each; lists of ids go through `json_each`.

/// The database's clock, in microseconds with a millisecond's resolution; the column defaults say the same. One
/// statement reads it once, however often it is named.
macro_rules! now {
    () => {
        "(CAST(round(unixepoch('subsec') * 1000) AS integer) * 1000)"
    };
}

/// `status, waits_for, wake_at` of an execution that is due at once, unless its workflow, called `$workflow` in the
/// statement, is paused: then it is WAITING without a clock.
macro_rules! due_unless_paused {
    ($workflow:literal) => {
        concat!(
            "iif(",
            $workflow,
            ".paused_at IS NULL, 'PENDING', 'WAITING'), iif(",
            $workflow,
            ".paused_at IS NULL, NULL, ",
            $crate::protocol::facts::reason!(Paused),
            "), iif(",
            $workflow,
            ".paused_at IS NULL, ",
            now!(),
            ", NULL)"
        )
    };
}

mod append;
mod backlog;
mod cancel;
mod claim;
mod confirm;
mod count_dead_letters;
mod count_ends;
mod delete;
mod deliver;
mod ended;
mod inbox;
mod journal;
mod parts;
mod prune;
mod recover;
mod relay;
mod release;
mod renew;
mod replay;
mod resume_paused;
mod retry;
mod return_jobs;
mod settle;
mod start_child;
mod submit;
mod suspend;
mod unpublish_lane;
mod watch;

use std::time::Duration;

use gristmill_core::ExecutionId;

use super::verbs::implement_by_verbs;
use crate::connection::sqlite::SqlitePool as Pool;
use crate::{
    Actor, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, DeadLetter, Decide, Deleted,
    Delivered, Due, Ended, Held, InboxMessage, Received, Replay, Replayed, Retention, Retried, Settle,
    StartChild, Submit, Submitted, Suspend, Suspended, Sweep, System, Tenant, Wake, Watched, protocol_verbs,
};

protocol_verbs!(implement_by_verbs);
