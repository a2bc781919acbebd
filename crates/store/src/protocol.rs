//! Protocol: one trait, by the rules of `docs/architecture.md`: every statement that moves an execution from one status to
//! another. Both databases implement it in twin folders, `protocol/postgres/<verb>.rs` and `protocol/sqlite/<verb>.rs`, and one
//! contract suite holds them to it.
//!
//! Every verb takes many members at a time, because callers group: whatever piled up while the last group committed
//! goes into one statement. Each member is answered for itself, in the order given; one that lost its lease or met a
//! known key never disturbs its neighbours. Multi-row writes lock rows in id order, so that two groups never deadlock.
//!
//! All times are the database's own clock.
//!
//! What a person asks for (a signal, a cancel, a retry, a replay, a deletion) is told to the audit log in the verb's own
//! transaction, with the [`Actor`] who asked; what changes nothing is not.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use gristmill_core::{ExecutionId, ExecutionStatus, Job, OrganizationId, Totals, WorkflowId};
use uuid::Uuid;

use crate::{Actor, Error, Reached, System, Tenant};

mod facts;
mod operations;
mod postgres;
mod rows;
mod sqlite;
mod verbs;

pub use operations::{
    Cancelled, ChildStarted, Deleted, Keep, Replay, Replayed, Retention, Retried, StartChild,
};

/// What a verb of the protocol answers with.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// The statements that move executions.
pub trait Protocol: Send + Sync + 'static {
    /// Inserts each member as PENDING, on its workflow's newest revision and lane, in one transaction. A member with an
    /// idempotency key that its organization has used before is answered with that execution instead. One that is to
    /// start later is inserted as WAITING, with its start as `wake_at`; one of a paused workflow as WAITING, without a clock.
    /// What is inserted counts against the month; of those that have a limit the first are inserted, as many as fit.
    ///
    /// `wake_at` of the others is `publish_within` from now: if nobody publishes the row until then, the relay does.
    /// Guard: where the newest revision has an input schema, the input was checked against that very revision.
    fn submit<'a>(
        &'a self,
        tenant: &'a Tenant,
        members: &'a [Submit],
        publish_within: Duration,
    ) -> Answer<'a, Vec<Submitted>>;

    /// Notes that the broker has confirmed these jobs. Guard: still PENDING at the published attempt; whatever was
    /// claimed in the meantime is left alone. Locked rows are skipped. `wake_at` becomes 5 minutes from now for the
    /// first publish of this PENDING, 15 for the second, 45 for the third, and so on.
    fn confirm<'a>(&'a self, system: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()>;

    /// PENDING → RUNNING for each job whose attempt is still the row's, with `attempt + 1`, this claim's token and a
    /// lease of `lease` from now. Skips locked rows, and says which jobs are still good for that. Repeated under the same
    /// token, because the answer was lost, it answers with what that token has claimed already.
    fn claim<'a>(
        &'a self,
        system: System,
        jobs: &'a [(ExecutionId, i32)],
        claim: &'a Claim,
    ) -> Answer<'a, Vec<ClaimAnswer>>;

    /// The journal chunks of each execution, in order. Read it in a statement after the claim: what an earlier holder
    /// appended while the claim waited for its lock must be seen.
    fn journal<'a>(
        &'a self,
        system: System,
        ids: &'a [ExecutionId],
    ) -> Answer<'a, Vec<(ExecutionId, Vec<Chunk>)>>;

    /// Appends one chunk to each execution's journal, and zeroes its `losses` if that is progress. Guard: RUNNING at the
    /// holder's attempt, with a journal of the length that the holder knows: an append whose answer was lost may still be
    /// on its way to its commit while it is sent again.
    fn append<'a>(&'a self, system: System, members: &'a [Append]) -> Answer<'a, Vec<Held>>;

    /// Ends each execution as COMPLETED or FAILED, with its last chunk, in one transaction. Guard: RUNNING at the
    /// holder's attempt. Goes through the one `finish` that every terminal transition goes through.
    fn settle<'a>(&'a self, system: System, members: &'a [Settle]) -> Answer<'a, Vec<Held>>;

    /// RUNNING → WAITING, with the last chunk; `wake_at` is never later than the execution's deadline. Guard: RUNNING at
    /// the holder's attempt, and `inbox` unchanged since the holder folded it: mail that came in the meantime would
    /// otherwise wait for ever.
    fn suspend<'a>(&'a self, system: System, members: &'a [Suspend]) -> Answer<'a, Vec<Suspended>>;

    /// RUNNING → PENDING with `wake_at = now`, with the last chunk: a worker that drains gives its work back. Guard:
    /// RUNNING at the holder's attempt. `losses` stays as it is.
    fn release<'a>(&'a self, system: System, members: &'a [Append]) -> Answer<'a, Vec<Held>>;

    /// Gives prefetched jobs that were never claimed back: PENDING, unpublished, `wake_at = now`. Guard: PENDING at the
    /// job's attempt.
    fn hand_back<'a>(&'a self, system: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()>;

    /// Renews the lease of each execution that is RUNNING at the holder's attempt, skipping locked rows. Answers with
    /// those renewed.
    fn renew<'a>(
        &'a self,
        system: System,
        holdings: &'a [(ExecutionId, i32)],
        lease: Duration,
    ) -> Answer<'a, Vec<ExecutionId>>;

    /// How each execution stands now, without locking anything: for noticing cancels and mail, and for finding out what
    /// became of a write whose answer was lost.
    fn watch<'a>(&'a self, system: System, ids: &'a [ExecutionId]) -> Answer<'a, Vec<Watched>>;

    /// Those of the executions that have ended, and how; the others are missing from the answer. Locks nothing, and costs
    /// little more than the look at each: for callers who wait for ends.
    fn ended<'a>(&'a self, system: System, ids: &'a [ExecutionId]) -> Answer<'a, Vec<Ended>>;

    /// Takes executions whose `wake_at` has come, oldest first, skipping locked rows, and does with each what `decide`
    /// says, in one transaction. Executions for which `decide` says [`Wake::Leave`] are untouched. Answers with every row
    /// and what was done, so that the caller can publish and count.
    fn relay<'a>(&'a self, system: System, sweep: Sweep, decide: Decide<'a>) -> Answer<'a, Vec<(Due, Wake)>>;

    /// Puts mail into an execution's inbox, bumps `inbox` and wakes an execution that is WAITING, but not one that
    /// waits for its start, for its workflow, or after lost workers (→ PENDING, `wake_at = now`), in one transaction. The same
    /// key twice is one mail, and with another name or body it is refused. An inbox holds `limit` mails, and the ends of
    /// children on top of that.
    fn deliver<'a>(
        &'a self,
        tenant: &'a Tenant,
        actor: &'a Actor,
        mail: &'a Mail,
        limit: i32,
    ) -> Answer<'a, Delivered>;

    /// The mail of one execution, oldest first, from `after` on (0 = all).
    fn inbox<'a>(&'a self, system: System, id: &'a ExecutionId, after: i64) -> Answer<'a, Vec<Received>>;

    /// Marks what the dead-letter queue holds: each execution still PENDING at the dead job's attempt counts one loss
    /// and is due at once (→ published again), or becomes FAILED with `error` when the loss reaches `max_losses`.
    fn count_dead_letters<'a>(
        &'a self,
        system: System,
        jobs: &'a [(ExecutionId, i32)],
        max_losses: i32,
        error: &'a str,
    ) -> Answer<'a, Vec<DeadLetter>>;

    /// Marks every PENDING row of a lane as unpublished and due now: its queue was found missing.
    fn unpublish_lane<'a>(&'a self, system: System, lane: &'a str) -> Answer<'a, u64>;

    /// Ends an execution, and every unfinished execution below it, as CANCELLED, in one transaction. Guard: not terminal.
    fn cancel<'a>(
        &'a self,
        tenant: &'a Tenant,
        actor: &'a Actor,
        id: &'a ExecutionId,
    ) -> Answer<'a, Cancelled>;

    /// FAILED → PENDING, due now, with its deadline and its losses begun anew, and with the journal entry that says so: an
    /// operator's retry. Guard: FAILED.
    fn retry<'a>(&'a self, tenant: &'a Tenant, actor: &'a Actor, id: &'a ExecutionId) -> Answer<'a, Retried>;

    /// Inserts an execution with the input of an earlier one, as PENDING and due now. It counts against the month.
    fn replay<'a>(&'a self, tenant: &'a Tenant, actor: &'a Actor, replay: &'a Replay)
    -> Answer<'a, Replayed>;

    /// Inserts a child of an execution as PENDING and due now, in the parent's organization, on the newest revision of
    /// an active workflow; one for each path of the parent, however often it is asked for. It counts against the month,
    /// within the limit of the organization's tier. Guard: the parent is RUNNING at the holder's attempt; and, as for
    /// [`Protocol::submit`], the input was checked against the newest revision where that has an input schema.
    fn start_child<'a>(&'a self, system: System, child: &'a StartChild) -> Answer<'a, ChildStarted>;

    /// Deletes an execution with its journal and inbox. Guard: terminal, and not the child of an unfinished one.
    fn delete<'a>(&'a self, tenant: &'a Tenant, actor: &'a Actor, id: &'a ExecutionId)
    -> Answer<'a, Deleted>;

    /// Deletes up to `limit` executions, with journals and inboxes, that ended longer ago than their workflow, or else
    /// `retention`, keeps them; skips locked rows, and children of unfinished executions. Answers with how many.
    fn prune<'a>(&'a self, system: System, retention: &'a Retention, limit: i64) -> Answer<'a, u64>;

    /// Starts up to `limit` executions that were held for paused workflows and whose workflows are not paused any more:
    /// WAITING → PENDING, due now; skips locked rows. Whatever slips in while a workflow is resumed is found by the next
    /// call. Answers with how many.
    fn release_held<'a>(&'a self, system: System, limit: i64) -> Answer<'a, u64>;

    /// Counts up to `limit` ends that were noted, each exactly once, however many do so at the same time and whenever they
    /// die: an end is taken out and counted in one transaction. The metrics hear of them as well. Answers with how many.
    fn count_ends<'a>(&'a self, system: System, limit: i64) -> Answer<'a, u64>;

    /// For a database that only one process uses, when that process starts: every lease is over, and everything PENDING
    /// is unpublished and due now. What was RUNNING is due before everything that is PENDING, and is the relay's to judge.
    fn recover<'a>(&'a self, system: System) -> Answer<'a, u64>;

    /// How much waits, for metrics; looks at no more than ten executions of each of a thousand organizations.
    fn backlog<'a>(&'a self, system: System) -> Answer<'a, Backlog>;
}

/// What the relay does with a due execution; pure, so that all of it is tested without a database.
pub type Decide<'a> = &'a (dyn Fn(&Due) -> Wake + Send + Sync);

/// A request to run a workflow.
#[derive(Debug, Clone)]
pub struct Submit {
    /// Made by the caller, so that it is known before the commit.
    pub id: ExecutionId,
    /// Which workflow; of the tenant, or it is not found.
    pub workflow_id: WorkflowId,
    /// The input object, as serialized. Shared: a request is handed on several times before its statement.
    pub input: Arc<str>,
    /// The producer's key against doubles.
    pub idempotency_key: Option<String>,
    /// What a repeat under that key is.
    pub repeat: Repeat,
    /// A hash of what a repeat must have in common with it, where that is the content: workflow, input and the rest.
    pub request_hash: String,
    /// When it may be claimed.
    pub start: Start,
    /// The revision whose input schema the input meets, as far as the caller has checked.
    pub checked: Option<i32>,
    /// The producer's tags, as a JSON array of strings.
    pub tags: Option<Arc<str>>,
    /// The producer's own object, as serialized.
    pub metadata: Option<Arc<str>>,
    /// How many executions the organization may have in this month; `None` = as many as it likes.
    pub monthly_limit: Option<u32>,
}

/// When a request under a key that was used before is the same request again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeat {
    /// When its content is the same, too: other content is a mistake of the producer's, and is told so.
    #[default]
    SameContent,
    /// Whatever its content: the key names the event that the request comes of, such as a delivery or a tick.
    SameKey,
}

impl Submit {
    /// What the execution behind the key, made by a request with this hash, is to this request.
    pub(crate) fn repeats(&self, known: ExecutionId, request_hash: &str) -> Submitted {
        match self.repeat {
            Repeat::SameContent if request_hash != self.request_hash => Submitted::KeyReused(known),
            Repeat::SameContent | Repeat::SameKey => Submitted::Known(known),
        }
    }
}

/// When a submitted execution may be claimed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// At once.
    #[default]
    Now,
    /// At a time; one that is over is now.
    At(DateTime<Utc>),
    /// After a while, by the database's clock.
    In(Duration),
}

/// What became of one [`Submit`].
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// Recorded as PENDING: from here it is never lost.
    Accepted(Accepted),
    /// The key was used before, and this is the same request again, by its [`Repeat`]: this execution is the answer.
    Known(ExecutionId),
    /// The key was used before, with another request.
    KeyReused(ExecutionId),
    /// The tenant has no such workflow.
    UnknownWorkflow,
    /// The workflow is switched off.
    InactiveWorkflow,
    /// The newest revision is this one, and it has an input schema that the input was not checked against.
    Unchecked {
        /// The newest revision.
        revision: i32,
    },
    /// The month's executions are used up: nothing was recorded.
    LimitReached(Reached),
}

/// A freshly recorded execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The id that the caller made.
    pub id: ExecutionId,
    /// The revision that it will run.
    pub revision: i32,
    /// Where its jobs go.
    pub lane: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// Whether it is WAITING for its workflow to be resumed.
    pub held: bool,
    /// When it becomes claimable; `None` = it is PENDING, or held.
    pub starts_at: Option<DateTime<Utc>>,
}

/// Who claims, and for how long.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Fresh for every claim: a claim whose answer was lost is recognized by it.
    pub token: Uuid,
    /// The worker's name, for operators.
    pub worker: String,
    /// How long the lease lasts unless renewed.
    pub lease: Duration,
}

/// What became of one job of a [`Claim`].
#[derive(Debug, Clone)]
pub enum ClaimAnswer {
    /// The caller holds its execution. Boxed: the other answers say next to nothing.
    Claimed(Box<Claimed>),
    /// Nothing was changed: somebody has its row locked. It was still good a moment ago; whoever comes again is told.
    Locked,
    /// Nothing was changed, and nothing will be: the job is old, or doubled, or taken.
    Stale,
    /// Nothing was changed: its organization has as many RUNNING as it may have. For limits that are yet to come: no
    /// statement says so today.
    OverLimit,
}

impl ClaimAnswer {
    /// The execution, where it was claimed.
    pub fn claimed(self) -> Option<Claimed> {
        match self {
            Self::Claimed(claimed) => Some(*claimed),
            Self::Locked | Self::Stale | Self::OverLimit => None,
        }
    }
}

/// An execution that this worker now holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which execution.
    pub id: ExecutionId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// The fencing token: every later write carries it.
    pub attempt: i32,
    /// The input object, as serialized.
    pub input: String,
    /// How many journal entries there are; 0 = nothing to fold.
    pub journal_len: i32,
    /// How much mail had arrived.
    pub inbox: i32,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// The first claim of all.
    pub started_at: DateTime<Utc>,
    /// The database's time at this claim: the holder's clock starts from it.
    pub now: DateTime<Utc>,
    /// When it will have taken too long, by its workflow's `timeoutMs`.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether it is another execution's child.
    pub is_child: bool,
}

/// One commit's worth of journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The number of its first entry; the first of all is 0.
    pub seq: i32,
    /// The format version of `body`.
    pub format: i32,
    /// A JSON array of entries, as serialized.
    pub body: String,
}

/// Entries to be appended.
#[derive(Debug, Clone)]
pub struct NewChunk {
    /// A JSON array of entries, in the current format.
    pub body: String,
    /// How many entries it holds; at least 1.
    pub entries: i32,
    /// Whether any of them says that the execution got on ([`gristmill_core::journal::Entry::is_progress`]).
    pub progress: bool,
}

/// A holder's journal commit; with [`Protocol::release`] also the end of its hold.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// How many entries the holder knows of; [`Protocol::append`] appends behind exactly those.
    pub journal_len: i32,
    /// What is appended; `None` appends nothing.
    pub chunk: Option<NewChunk>,
}

/// What became of a holder's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Done.
    Yes,
    /// The lease is somebody else's, or the execution has ended: nothing was changed.
    No,
}

/// The end of an execution.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// The last entries.
    pub chunk: Option<NewChunk>,
    /// How it ended.
    pub ending: Ending,
    /// What it cost.
    pub totals: Totals,
    /// Whether it is another execution's child, as its claim said.
    pub is_child: bool,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// COMPLETED, with the output object as serialized.
    Completed {
        /// The output object, as serialized.
        output: String,
    },
    /// FAILED, with a [`gristmill_core::ExecutionError`] as serialized.
    Failed {
        /// The error, as serialized.
        error: String,
    },
}

/// A holder lets go until a time comes or mail arrives.
#[derive(Debug, Clone)]
pub struct Suspend {
    /// Which execution.
    pub id: ExecutionId,
    /// The holder's fencing token.
    pub attempt: i32,
    /// The last entries.
    pub chunk: Option<NewChunk>,
    /// `inbox` as the holder last folded it.
    pub inbox: i32,
    /// The earliest of timers and backoffs; `None` = only mail, or the deadline, wakes it.
    pub wake_at: Option<DateTime<Utc>>,
}

/// What became of a [`Suspend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    /// WAITING.
    Yes,
    /// Mail has arrived: still RUNNING and still the holder's. Nothing was changed; fold the mail and go on.
    MailArrived,
    /// The lease is somebody else's, or the execution has ended: nothing was changed.
    No,
}

/// How an execution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Which execution.
    pub id: ExecutionId,
    /// Its status.
    pub status: ExecutionStatus,
    /// Its fencing token.
    pub attempt: i32,
    /// The token of the last claim.
    pub claim_token: Option<Uuid>,
    /// How much mail has arrived.
    pub inbox: i32,
    /// How many journal entries there are.
    pub journal_len: i32,
}

/// How an execution ended: everything about it but its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which execution.
    pub id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// A terminal status.
    pub status: ExecutionStatus,
    /// How often a worker has claimed it.
    pub attempt: i32,
    /// A [`gristmill_core::ExecutionError`], as serialized, when FAILED.
    pub error: Option<String>,
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// Model tokens.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed; one that was cancelled before has no such time.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; there for every terminal status.
    pub completed_at: Option<DateTime<Utc>>,
}

/// An execution whose `wake_at` has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What to publish.
    pub job: Job,
    /// Where its jobs go.
    pub lane: String,
    /// PENDING, RUNNING or WAITING.
    pub status: ExecutionStatus,
    /// Whether the broker has confirmed a job for this PENDING.
    pub published: bool,
    /// How often a worker was lost since the last journal commit.
    pub losses: i32,
    /// Whether its deadline has passed.
    pub expired: bool,
    /// Whether it has waited for its start, and its workflow is paused.
    pub paused: bool,
    /// How long ago `wake_at` was.
    pub late: Duration,
}

/// What the relay does with a due execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Wake {
    /// PENDING stays PENDING, unpublished, due again `again_in` from now; the caller publishes.
    Publish {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// WAITING → PENDING, unpublished, `losses` untouched; the caller publishes.
    Start {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// RUNNING → PENDING with one more loss; the caller publishes.
    Reap {
        /// When the relay looks again unless the broker confirms.
        again_in: Duration,
    },
    /// RUNNING → WAITING with one more loss, due again after a pause.
    Pause {
        /// How long.
        pause: Duration,
    },
    /// WAITING for its start → WAITING for its workflow to be resumed, without a clock.
    Hold,
    /// → FAILED with one more loss, through the one `finish`.
    Fail {
        /// The error, as serialized.
        error: String,
    },
    /// → FAILED, past its deadline, through the one `finish`.
    Expire {
        /// The error, as serialized.
        error: String,
    },
    /// Nothing.
    Leave,
}

/// Mail for an execution.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whose inbox.
    pub execution_id: ExecutionId,
    /// Unique within the inbox: the same key twice is one mail.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// JSON, as serialized.
    pub body: String,
}

impl Mail {
    /// What the sender of a signal called it.
    pub(crate) fn signal(&self) -> &str {
        self.name.strip_prefix("signal:").unwrap_or(&self.name)
    }
}

/// What became of a [`Mail`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// In the inbox.
    Yes,
    /// In the inbox already.
    Known,
    /// The key was used before, for a mail of another name or body: nothing was changed.
    KeyReused,
    /// The tenant has no such execution.
    UnknownExecution,
    /// The execution has ended.
    Ended,
    /// The inbox holds as many as it may.
    Full,
}

/// Mail in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its number within the inbox; the first is 1.
    pub seq: i64,
    /// What it is called.
    pub name: String,
    /// JSON, as serialized.
    pub body: String,
}

/// What became of one dead job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetter {
    /// One more loss; due at once.
    Retried,
    /// One loss too many: FAILED.
    Failed,
    /// The execution has moved on without this job: nothing was changed.
    Stale,
    /// No such execution.
    Unknown,
}

/// Which due executions [`Protocol::relay`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// At most so many.
    pub limit: i64,
    /// RUNNING ones as well, whose lease is over.
    pub reap: bool,
    /// Only those that fell due within this time; `None` = however long ago. For a database that cannot clear away what
    /// has moved on: there, everything that was ever due is read through each time. SQLite always can, and looks at all.
    pub back: Option<Duration>,
}

impl Sweep {
    /// However long ago they fell due.
    pub fn all(limit: i64, reap: bool) -> Self {
        Self {
            limit,
            reap,
            back: None,
        }
    }
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Backlog {
    /// For how long the one has been claimable that has been so for longest, of the PENDING executions looked at: since the
    /// broker first confirmed its job or, where it has none, since it fell due.
    pub oldest_pending: Duration,
    /// How long the most overdue `wake_at` has been due: how far behind the relays are.
    pub relay_lag: Duration,
}
