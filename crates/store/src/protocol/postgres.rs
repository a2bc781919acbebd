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
mod hand_back;
mod inbox;
mod journal;
pub(crate) mod parts;
mod prune;
mod recover;
mod relay;
mod release;
mod release_held;
mod renew;
mod replay;
mod retry;
mod settle;
mod start_child;
mod submit;
mod suspend;
mod unpublish_lane;
mod watch;

use super::verbs::protocol_by_verbs;
use crate::connection::postgres::PostgresPool;

protocol_by_verbs!(PostgresPool);
