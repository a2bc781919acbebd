//! Holder: a holder's writes. Each is guarded by the holder's attempt; when the answer is lost, or says that nothing was
//! changed, the row is read again before anything is believed or redone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_core::journal::{Entry, write_chunk};
use gristmill_core::{ExecutionId, ExecutionStatus, OrganizationId, Totals, failpoint};
use gristmill_dispatch::{Check, Plans, ROUNDS, Reader, RelayWakeup};
use gristmill_engine::{ChildRequest, InboxMessage, Journal, LeaseLost, NodeFailure, Suspension};
use gristmill_store::{
    Append, ChildStarted, Claimed, Ending, GroupError, Held, NewChunk, Protocol, Received, Settle, Suspend,
    Suspended, System,
};
use metrics::counter;
use tracing::{error, warn};
use uuid::Uuid;

use crate::child::{child_failure, child_of, misfit_failure};
use crate::lease::Lease;
use crate::writes::Writes;

/// How long to wait before a row is read again while the database is away.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// The right to write for one claimed execution.
pub(crate) struct Holder {
    id: ExecutionId,
    organization_id: OrganizationId,
    attempt: i32,
    token: Uuid,
    journal_len: i32,
    inbox: i32,
    is_child: bool,
    lease: Lease,
    parts: HolderParts,
}

/// What every holder of a worker writes with.
#[derive(Clone)]
pub(crate) struct HolderParts {
    /// Its writes, grouped with those of the others.
    pub(crate) writes: Arc<Writes>,
    /// For what is not grouped: reading again, messages, children.
    pub(crate) store: Arc<dyn Protocol>,
    /// For what a child's input is held against.
    pub(crate) plans: Arc<Plans>,
    /// Woken when a write has made something due.
    pub(crate) relay: RelayWakeup,
    /// How deep children may be nested.
    pub(crate) max_depth: i32,
}

/// What a re-read row says about an unknown commit.
enum Standing {
    /// Still RUNNING under this claim.
    Held { journal_len: i32, inbox: i32 },
    /// No longer RUNNING, and nobody has claimed since: a write of this holder has ended the hold, or an operator has.
    LetGo(ExecutionStatus),
    /// Somebody else's.
    Lost,
}

impl Holder {
    /// The holder of a fresh claim.
    pub(crate) fn new(claimed: &Claimed, token: Uuid, lease: Lease, parts: HolderParts) -> Self {
        Self {
            id: claimed.id.clone(),
            organization_id: claimed.organization_id.clone(),
            attempt: claimed.attempt,
            token,
            journal_len: claimed.journal_len,
            inbox: claimed.inbox,
            is_child: claimed.is_child,
            lease,
            parts,
        }
    }

    /// The lease under which this holder writes.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Ends the execution, in one transaction with its last entries.
    pub(crate) async fn settle(
        &mut self,
        entries: &[Entry],
        ending: Ending,
        totals: Totals,
    ) -> Result<(), LeaseLost> {
        let chunk = self.chunk(entries)?;
        let ended = match ending {
            Ending::Completed { .. } => ExecutionStatus::Completed,
            Ending::Failed { .. } => ExecutionStatus::Failed,
        };
        loop {
            let settle = Settle {
                id: self.id.clone(),
                attempt: self.attempt,
                chunk: chunk.clone(),
                ending: ending.clone(),
                totals,
                is_child: self.is_child,
            };
            failpoint::reach("settle.begun");
            let answer = self.parts.writes.settle.call(settle).await;
            failpoint::reach("settle.committed");
            let own = |status| status == ended;
            if self
                .is_done("settle", answer.map(|held| held == Held::Yes), own)
                .await?
            {
                // Its end has woken its parent.
                if self.is_child {
                    self.parts.relay.wake();
                }
                return Ok(());
            }
        }
    }

    /// Gives the execution back: → PENDING, due now.
    pub(crate) async fn release(&mut self, entries: &[Entry]) -> Result<(), LeaseLost> {
        failpoint::reach("release.begun");
        let chunk = self.chunk(entries)?;
        loop {
            let append = Append {
                id: self.id.clone(),
                attempt: self.attempt,
                journal_len: self.journal_len,
                chunk: chunk.clone(),
            };
            let answer = self.parts.writes.release.call(append).await;
            if self
                .is_done("release", answer.map(|held| held == Held::Yes), lets_go)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// Lets go until `wake_at`, whatever messages there are: nobody here can read them.
    pub(crate) async fn put_off(&mut self, wake_at: DateTime<Utc>) -> Result<(), LeaseLost> {
        let mut inbox = self.inbox;
        while let Suspension::MessageArrived { inbox: now } = self.let_go(&[], Some(wake_at), inbox).await? {
            inbox = now;
        }
        Ok(())
    }

    async fn let_go(
        &self,
        entries: &[Entry],
        wake_at: Option<DateTime<Utc>>,
        inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        let chunk = self.chunk(entries)?;
        loop {
            let suspend = Suspend {
                id: self.id.clone(),
                attempt: self.attempt,
                chunk: chunk.clone(),
                inbox,
                wake_at,
            };
            let answer = match self.parts.writes.suspend.call(suspend).await {
                Ok(Suspended::MessageArrived) => match self.standing().await? {
                    Standing::Held { inbox, .. } => return Ok(Suspension::MessageArrived { inbox }),
                    Standing::LetGo(_) | Standing::Lost => return Err(self.refused("suspend")),
                },
                Ok(Suspended::Yes) => Ok(true),
                Ok(Suspended::No) => Ok(false),
                Err(error) => Err(error),
            };
            if self.is_done("suspend", answer, lets_go).await? {
                return Ok(Suspension::Done);
            }
        }
    }

    /// Whether a write that ends the hold has been made, now or in an earlier try whose answer was lost. `own` knows the
    /// statuses that the write itself leaves behind; any other is somebody else's doing.
    async fn is_done(
        &self,
        verb: &'static str,
        answer: Result<bool, GroupError>,
        own: impl Fn(ExecutionStatus) -> bool,
    ) -> Result<bool, LeaseLost> {
        if self.was_changed(verb, answer).await? {
            return Ok(true);
        }
        match self.standing().await? {
            Standing::LetGo(status) if own(status) => Ok(true),
            Standing::Held { .. } => Ok(false),
            Standing::LetGo(_) | Standing::Lost => Err(self.refused(verb)),
        }
    }

    /// Reads a group's answer: changed, or in doubt. A failure that no repeat can mend ends the hold here; the lease
    /// then runs out and counts as a loss.
    async fn was_changed(
        &self,
        verb: &'static str,
        answer: Result<bool, GroupError>,
    ) -> Result<bool, LeaseLost> {
        match answer {
            Ok(changed) => Ok(changed),
            Err(cause) if cause.is_transient() => {
                warn!(execution.id = %self.id, verb, error = &cause as &dyn std::error::Error, "a write is in doubt; reading again");
                // A database that refuses every write at once, with a full disk for example, is not to be asked in a loop.
                self.pause().await;
                Ok(false)
            }
            Err(cause) => {
                error!(execution.id = %self.id, attempt = self.attempt, verb, error = &cause as &dyn std::error::Error, "a write failed for good");
                Err(LeaseLost)
            }
        }
    }

    /// Reads the row again, as often as it takes, for as long as the lease is good.
    async fn standing(&self) -> Result<Standing, LeaseLost> {
        loop {
            if !self.lease.is_safe() {
                return Err(self.refused("read"));
            }
            let ids = [self.id.clone()];
            match self.parts.store.watch(System, &ids).await {
                Ok(rows) => {
                    let row = rows.into_iter().next();
                    return Ok(match row {
                        Some(row) if row.attempt != self.attempt || row.claim_token != Some(self.token) => {
                            Standing::Lost
                        }
                        Some(row) if row.status == ExecutionStatus::Running => Standing::Held {
                            journal_len: row.journal_len,
                            inbox: row.inbox,
                        },
                        Some(row) => Standing::LetGo(row.status),
                        None => Standing::Lost,
                    });
                }
                Err(cause) => {
                    warn!(execution.id = %self.id, error = &cause as &dyn std::error::Error, "cannot read the execution again yet");
                    self.pause().await;
                }
            }
        }
    }

    /// Starts one child, as often as it takes: asked for twice, it is started once. Where the store says that its input has to
    /// meet a schema, it is checked here and asked for again, so that the insert stays one statement under the parent's lock.
    async fn start_child(&self, child: ChildRequest) -> Result<Result<ExecutionId, NodeFailure>, LeaseLost> {
        let mut request = child_of(&self.id, self.attempt, self.parts.max_depth, child);
        let mut rounds = 0;
        loop {
            if !self.lease.is_safe() {
                return Err(self.refused("start_child"));
            }
            let answer = match self.parts.store.start_child(System, &request).await {
                Ok(ChildStarted::Lost) => return Err(self.refused("start_child")),
                Ok(ChildStarted::Yes(id)) => return Ok(Ok(id)),
                Ok(ChildStarted::Unchecked { revision }) if rounds < ROUNDS => {
                    let reader = Reader::Holder(&self.organization_id);
                    let check = self
                        .parts
                        .plans
                        .check(reader, &request.workflow_id, revision, &request.input)
                        .await;
                    check.map(|check| (revision, check))
                }
                Ok(refused) => return Ok(Err(child_failure(&refused, &request))),
                Err(cause) => Err(cause),
            };
            match answer {
                Ok((_, Check::Failed(problems))) => return Ok(Err(misfit_failure(&problems, &request))),
                // Of a definition that this version refuses the child itself says so.
                Ok((revision, Check::Passed | Check::InvalidDefinition(_))) => {
                    rounds += 1;
                    request.checked = Some(revision);
                }
                // It was deleted meanwhile, and the store says so.
                Ok((_, Check::UnknownRevision)) => rounds += 1,
                Err(cause) if cause.is_transient() => {
                    warn!(execution.id = %self.id, error = &cause as &dyn std::error::Error, "cannot start a child yet");
                    self.pause().await;
                }
                Err(cause) => {
                    error!(execution.id = %self.id, attempt = self.attempt, error = &cause as &dyn std::error::Error, "a child cannot be started");
                    return Err(LeaseLost);
                }
            }
        }
    }

    async fn pause(&self) {
        tokio::select! {
            () = tokio::time::sleep(RETRY_AFTER) => {}
            () = self.lease.stopped() => {}
        }
    }

    fn chunk(&self, entries: &[Entry]) -> Result<Option<NewChunk>, LeaseLost> {
        if entries.is_empty() {
            return Ok(None);
        }
        match write_chunk(entries) {
            Ok(body) => Ok(Some(NewChunk {
                body,
                entries: i32::try_from(entries.len()).unwrap_or(i32::MAX),
                progress: entries.iter().any(Entry::is_progress),
            })),
            Err(cause) => {
                error!(execution.id = %self.id, error = &cause as &dyn std::error::Error, "journal entries cannot be written");
                Err(LeaseLost)
            }
        }
    }

    fn refused(&self, verb: &'static str) -> LeaseLost {
        counter!("gristmill_fence_refusals_total", "verb" => verb).increment(1);
        warn!(execution.id = %self.id, attempt = self.attempt, verb, "the lease is lost; nothing was changed");
        LeaseLost
    }
}

/// Whether a release or a suspension may have left an execution so. The relay may have moved it on from there.
fn lets_go(status: ExecutionStatus) -> bool {
    matches!(status, ExecutionStatus::Pending | ExecutionStatus::Waiting)
}

impl Journal for Holder {
    /// Commits entries. An effect starts only after this has answered, and this answers only under a good lease: so a
    /// worker that was frozen for longer than its lease starts nothing when it wakes up.
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        let Some(chunk) = self.chunk(&entries)? else {
            return Ok(());
        };
        let grown = self.journal_len.saturating_add(chunk.entries);
        loop {
            let append = Append {
                id: self.id.clone(),
                attempt: self.attempt,
                journal_len: self.journal_len,
                chunk: Some(chunk.clone()),
            };
            let answer = self.parts.writes.append.call(append).await;
            let mut committed = self
                .was_changed("append", answer.map(|held| held == Held::Yes))
                .await?;
            if !committed {
                match self.standing().await? {
                    // The answer was lost, not the commit.
                    Standing::Held { journal_len, .. } => committed = journal_len == grown,
                    Standing::LetGo(_) | Standing::Lost => return Err(self.refused("append")),
                }
            }
            if committed {
                failpoint::reach("append.committed");
                self.journal_len = grown;
                return if self.lease.is_safe() {
                    Ok(())
                } else {
                    Err(self.refused("append"))
                };
            }
        }
    }

    async fn inbox(&mut self, after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        loop {
            if !self.lease.is_safe() {
                return Err(self.refused("read"));
            }
            match self.parts.store.inbox(System, &self.id, after).await {
                Ok(received) => return Ok(received.into_iter().map(readable).collect()),
                Err(cause) => {
                    warn!(execution.id = %self.id, error = &cause as &dyn std::error::Error, "cannot read the inbox yet");
                    self.pause().await;
                }
            }
        }
    }

    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        let mut started = Vec::with_capacity(children.len());
        for child in children {
            started.push(self.start_child(child).await?);
        }
        self.parts.relay.wake();
        Ok(started)
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        wake_at: Option<i64>,
        inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        // A time beyond the calendar never comes.
        let wake_at = wake_at.and_then(DateTime::from_timestamp_millis);
        self.let_go(entries, wake_at, inbox).await
    }
}

/// What is no JSON was never sent as a signal's payload; it reads as null.
fn readable(received: Received) -> InboxMessage {
    InboxMessage {
        seq: received.seq,
        name: received.name,
        body: serde_json::from_str(&received.body).unwrap_or_default(),
    }
}
