//! The protocol in PostgreSQL's words: one statement a verb wherever one can do it, many members in each.
//!
//! Every guarded write has the same shape. A first part locks the rows, in id order, so that two groups never wait for
//! each other in a ring; while locking, PostgreSQL checks the guard again on each row's newest version. A second part
//! changes what was locked. So a guard is never decided on a version that somebody else has replaced.

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
pub(crate) mod parts;
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
use crate::connection::postgres::PostgresPool as Pool;
use crate::{
    Actor, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, DeadLetter, Decide, Deleted,
    Delivered, Due, Ended, Held, InboxMessage, Received, Replay, Replayed, Retention, Retried, Settle,
    StartChild, Submit, Submitted, Suspend, Suspended, Sweep, System, Tenant, Wake, Watched, protocol_verbs,
};

protocol_verbs!(implement_by_verbs);
