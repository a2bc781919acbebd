//! Protocol: every statement that moves an execution from one status to another, as one trait. Its verbs stand in one list,
//! below; what they take and answer, in a file for each conversation; both databases implement them in twin folders,
//! `protocol/postgres/<verb>.rs` and `protocol/sqlite/<verb>.rs`, and one contract suite holds them to it.
//!
//! Every verb takes many members at a time, because callers group: whatever piled up while the last group committed
//! goes into one statement. Each member is answered for itself, in the order given; one that lost its lease or met a
//! known key never disturbs its neighbours. Multi-row writes lock rows in id order, so that two groups never deadlock.
//!
//! All times are the database's own clock.
//!
//! What a person asks for (a signal, a cancel, a retry, a replay, a deletion) is told to the audit log in the verb's own
//! transaction, with the [`Actor`] who asked; what changes nothing is not.

use std::time::Duration;

use futures_util::future::BoxFuture;
use gristmill_core::ExecutionId;

use crate::{Actor, Error, System, Tenant};

mod claim;
mod facts;
mod holder;
mod inbox;
mod operate;
mod postgres;
mod relay;
mod rows;
mod sqlite;
mod submit;
mod upkeep;
mod verbs;
mod watch;

pub use claim::{Claim, ClaimAnswer, Claimed};
pub use holder::{
    Append, ChildStarted, Chunk, Ending, Held, NewChunk, Settle, StartChild, Suspend, Suspended,
};
pub use inbox::{Delivered, InboxMessage, Received};
pub use operate::{Cancelled, Deleted, Replay, Replayed, Retried};
pub use relay::{DeadLetter, Decide, Due, Sweep, Wake};
pub use submit::{Accepted, Repeat, Start, Submit, Submitted};
pub use upkeep::{Backlog, Keep, Retention};
pub use watch::{Ended, Watched};

/// What a verb of the protocol answers with.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// The verbs, once: hands the list to `$callback`, a macro that declares the trait, implements it for a database, or puts
/// something between a caller and another implementation. Who is in the list's first argument says on whose behalf a verb
/// acts: a `tenant`, or the `system`.
#[macro_export]
#[doc(hidden)]
macro_rules! protocol_verbs {
    ($callback:ident) => {
        $callback! {
            /// Inserts each member as PENDING, on its workflow's newest revision and lane, in one transaction. A member with an
            /// idempotency key that its organization has used before is answered with that execution instead. One that is to
            /// start later is inserted as WAITING, with its start as `wake_at`; one of a paused workflow as WAITING, without a clock.
            /// What is inserted counts against the month; of those that have a limit the first are inserted, as many as fit.
            ///
            /// `wake_at` of the others is `publish_within` from now: if nobody publishes the row until then, the relay does.
            /// Guard: where the newest revision has an input schema, the input was checked against that very revision.
            fn submit(tenant: &'a Tenant, members: &'a [Submit], publish_within: Duration) -> Vec<Submitted>;

            /// Notes that the broker has confirmed these jobs. Guard: still PENDING at the published attempt; whatever was
            /// claimed in the meantime is left alone. Locked rows are skipped. `wake_at` becomes 5 minutes from now for the
            /// first publish of this PENDING, 15 for the second, 45 for the third, and so on.
            fn confirm(system: System, jobs: &'a [(ExecutionId, i32)]) -> ();

            /// PENDING → RUNNING for each job whose attempt is still the row's, with `attempt + 1`, this claim's token and a
            /// lease of `lease` from now. Skips locked rows, and says which jobs are still good for that. Repeated under the same
            /// token, because the answer was lost, it answers with what that token has claimed already.
            fn claim(system: System, jobs: &'a [(ExecutionId, i32)], claim: &'a Claim) -> Vec<ClaimAnswer>;

            /// The journal chunks of each execution, in order. Read it in a statement after the claim: what an earlier holder
            /// appended while the claim waited for its lock must be seen.
            fn journal(system: System, ids: &'a [ExecutionId]) -> Vec<(ExecutionId, Vec<Chunk>)>;

            /// Appends one chunk to each execution's journal, and zeroes its `losses` if that is progress. Guard: RUNNING at the
            /// holder's attempt, with a journal of the length that the holder knows: an append whose answer was lost may still be
            /// on its way to its commit while it is sent again.
            fn append(system: System, members: &'a [Append]) -> Vec<Held>;

            /// Ends each execution as COMPLETED or FAILED, with its last chunk, in one transaction. Guard: RUNNING at the
            /// holder's attempt. Goes through the one `finish` that every terminal transition goes through.
            fn settle(system: System, members: &'a [Settle]) -> Vec<Held>;

            /// RUNNING → WAITING, with the last chunk; `wake_at` is never later than the execution's deadline. Guard: RUNNING at
            /// the holder's attempt, and `inbox` unchanged since the holder folded it: a message that came in the meantime would
            /// otherwise wait for ever.
            fn suspend(system: System, members: &'a [Suspend]) -> Vec<Suspended>;

            /// RUNNING → PENDING with `wake_at = now`, with the last chunk: a worker that drains gives its work back. Guard:
            /// RUNNING at the holder's attempt. `losses` stays as it is.
            fn release(system: System, members: &'a [Append]) -> Vec<Held>;

            /// Gives prefetched jobs that were never claimed back: PENDING, unpublished, `wake_at = now`. Guard: PENDING at the
            /// job's attempt.
            fn return_jobs(system: System, jobs: &'a [(ExecutionId, i32)]) -> ();

            /// Renews the lease of each execution that is RUNNING at the holder's attempt, skipping locked rows. Answers with
            /// those renewed.
            fn renew(system: System, holdings: &'a [(ExecutionId, i32)], lease: Duration) -> Vec<ExecutionId>;

            /// How each execution stands now, without locking anything: for noticing cancels and messages, and for finding out what
            /// became of a write whose answer was lost.
            fn watch(system: System, ids: &'a [ExecutionId]) -> Vec<Watched>;

            /// Those of the executions that have ended, and how; the others are missing from the answer. Locks nothing, and costs
            /// little more than the look at each: for callers who wait for ends.
            fn ended(system: System, ids: &'a [ExecutionId]) -> Vec<Ended>;

            /// Takes executions whose `wake_at` has come, oldest first, skipping locked rows, and does with each what `decide`
            /// says, in one transaction. Executions for which `decide` says [`Wake::Leave`] are untouched. Answers with every row
            /// and what was done, so that the caller can publish and count.
            fn relay(system: System, sweep: Sweep, decide: Decide<'a>) -> Vec<(Due, Wake)>;

            /// Puts a message into an execution's inbox, bumps `inbox` and wakes an execution that is WAITING, but not one that
            /// waits for its start, for its workflow, or after lost workers (→ PENDING, `wake_at = now`), in one transaction. The same
            /// key twice is one message, and with another name or body it is refused. An inbox holds `limit` messages, and the ends of
            /// children on top of that.
            fn deliver(tenant: &'a Tenant, actor: &'a Actor, message: &'a InboxMessage, limit: i32) -> Delivered;

            /// The messages of one execution, oldest first, from `after` on (0 = all).
            fn inbox(system: System, id: &'a ExecutionId, after: i64) -> Vec<Received>;

            /// Marks what the dead-letter queue holds: each execution still PENDING at the dead job's attempt counts one loss
            /// and is due at once (→ published again), or becomes FAILED with `error` when the loss reaches `max_losses`.
            fn count_dead_letters(system: System, jobs: &'a [(ExecutionId, i32)], max_losses: i32, error: &'a str) -> Vec<DeadLetter>;

            /// Marks every PENDING row of a lane as unpublished and due now: its queue was found missing.
            fn unpublish_lane(system: System, lane: &'a str) -> u64;

            /// Ends an execution, and every unfinished execution below it, as CANCELLED, in one transaction. Guard: not terminal.
            fn cancel(tenant: &'a Tenant, actor: &'a Actor, id: &'a ExecutionId) -> Cancelled;

            /// FAILED → PENDING, due now, with its deadline and its losses begun anew, and with the journal entry that says so: an
            /// operator's retry. Guard: FAILED.
            fn retry(tenant: &'a Tenant, actor: &'a Actor, id: &'a ExecutionId) -> Retried;

            /// Inserts an execution with the input of an earlier one, as PENDING and due now. It counts against the month.
            fn replay(tenant: &'a Tenant, actor: &'a Actor, replay: &'a Replay) -> Replayed;

            /// Inserts a child of an execution as PENDING and due now, in the parent's organization, on the newest revision of
            /// an active workflow; one for each path of the parent, however often it is asked for. It counts against the month,
            /// within the limit of the organization's tier. Guard: the parent is RUNNING at the holder's attempt; and, as for
            /// [`Protocol::submit`], the input was checked against the newest revision where that has an input schema.
            fn start_child(system: System, child: &'a StartChild) -> ChildStarted;

            /// Deletes an execution with its journal and inbox. Guard: terminal, and not the child of an unfinished one.
            fn delete(tenant: &'a Tenant, actor: &'a Actor, id: &'a ExecutionId) -> Deleted;

            /// Deletes up to `limit` executions, with journals and inboxes, that ended longer ago than their workflow, or else
            /// `retention`, keeps them; skips locked rows, and children of unfinished executions. Answers with how many.
            fn prune(system: System, retention: &'a Retention, limit: i64) -> u64;

            /// Starts up to `limit` executions that wait for their paused workflow and whose workflows are not paused any more:
            /// WAITING → PENDING, due now; skips locked rows. Whatever slips in while a workflow is resumed is found by the next
            /// call. Answers with how many.
            fn resume_paused(system: System, limit: i64) -> u64;

            /// Counts up to `limit` ends that were noted, each exactly once, however many do so at the same time and whenever they
            /// die: an end is taken out and counted in one transaction. The metrics hear of them as well. Answers with how many.
            fn count_ends(system: System, limit: i64) -> u64;

            /// For a database that only one process uses, when that process starts: every lease is over, and everything PENDING
            /// is unpublished and due now. What was RUNNING is due before everything that is PENDING, and is the relay's to judge.
            fn recover(system: System) -> u64;

            /// How much waits, for metrics; looks at no more than ten executions of each of a thousand organizations.
            fn backlog(system: System) -> Backlog;
        }
    };
}

macro_rules! declare {
    ($($(#[$doc:meta])* fn $verb:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        /// The statements that move executions.
        pub trait Protocol: Send + Sync + 'static {
            $($(#[$doc])* fn $verb<'a>(&'a self, $($argument: $type),*) -> Answer<'a, $answer>;)*
        }
    };
}

protocol_verbs!(declare);
