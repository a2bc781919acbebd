//! The protocol in SQLite's words.
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

mod append;
mod backlog;
mod claim;
mod confirm;
mod count_dead_letters;
mod deliver;
mod finish;
mod hand_back;
mod inbox;
mod journal;
mod recover;
mod relay;
mod release;
mod renew;
mod settle;
mod submit;
mod suspend;
mod unpublish_lane;
mod values;
mod watch;

use std::time::Duration;

use futures_util::FutureExt;
use gristmill_core::ExecutionId;

use crate::sqlite_pool::SqlitePool;
use crate::{
    Answer, Append, Backlog, Chunk, Claim, Claimed, DeadLetter, Decide, Delivered, Due, Held, Mail, Protocol,
    Received, Settle, Submit, Submitted, Suspend, Suspended, System, Tenant, Wake, Watched,
};

impl Protocol for SqlitePool {
    fn submit<'a>(
        &'a self,
        tenant: &'a Tenant,
        members: &'a [Submit],
        publish_within: Duration,
    ) -> Answer<'a, Vec<Submitted>> {
        submit::submit(self, tenant, members, publish_within).boxed()
    }

    fn confirm<'a>(&'a self, _: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()> {
        confirm::confirm(self, jobs).boxed()
    }

    fn claim<'a>(
        &'a self,
        _: System,
        jobs: &'a [(ExecutionId, i32)],
        claim: &'a Claim,
    ) -> Answer<'a, Vec<Claimed>> {
        claim::claim(self, jobs, claim).boxed()
    }

    fn journal<'a>(
        &'a self,
        _: System,
        ids: &'a [ExecutionId],
    ) -> Answer<'a, Vec<(ExecutionId, Vec<Chunk>)>> {
        journal::journal(self, ids).boxed()
    }

    fn append<'a>(&'a self, _: System, members: &'a [Append]) -> Answer<'a, Vec<Held>> {
        append::append(self, members).boxed()
    }

    fn settle<'a>(&'a self, _: System, members: &'a [Settle]) -> Answer<'a, Vec<Held>> {
        settle::settle(self, members).boxed()
    }

    fn suspend<'a>(&'a self, _: System, members: &'a [Suspend]) -> Answer<'a, Vec<Suspended>> {
        suspend::suspend(self, members).boxed()
    }

    fn release<'a>(&'a self, _: System, members: &'a [Append]) -> Answer<'a, Vec<Held>> {
        release::release(self, members).boxed()
    }

    fn hand_back<'a>(&'a self, _: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()> {
        hand_back::hand_back(self, jobs).boxed()
    }

    fn renew<'a>(
        &'a self,
        _: System,
        holdings: &'a [(ExecutionId, i32)],
        lease: Duration,
    ) -> Answer<'a, Vec<ExecutionId>> {
        renew::renew(self, holdings, lease).boxed()
    }

    fn watch<'a>(&'a self, _: System, ids: &'a [ExecutionId]) -> Answer<'a, Vec<Watched>> {
        watch::watch(self, ids).boxed()
    }

    fn relay<'a>(
        &'a self,
        _: System,
        limit: i64,
        reap: bool,
        decide: Decide<'a>,
    ) -> Answer<'a, Vec<(Due, Wake)>> {
        relay::relay(self, limit, reap, decide).boxed()
    }

    fn deliver<'a>(&'a self, tenant: &'a Tenant, mail: &'a Mail) -> Answer<'a, Delivered> {
        deliver::deliver(self, tenant, mail).boxed()
    }

    fn inbox<'a>(&'a self, _: System, id: &'a ExecutionId, after: i64) -> Answer<'a, Vec<Received>> {
        inbox::inbox(self, id, after).boxed()
    }

    fn count_dead_letters<'a>(
        &'a self,
        _: System,
        jobs: &'a [(ExecutionId, i32)],
        max_losses: i32,
        error: &'a str,
    ) -> Answer<'a, Vec<DeadLetter>> {
        count_dead_letters::count_dead_letters(self, jobs, max_losses, error).boxed()
    }

    fn unpublish_lane<'a>(&'a self, _: System, lane: &'a str) -> Answer<'a, u64> {
        unpublish_lane::unpublish_lane(self, lane).boxed()
    }

    fn recover<'a>(&'a self, _: System) -> Answer<'a, u64> {
        recover::recover(self).boxed()
    }

    fn backlog<'a>(&'a self, _: System) -> Answer<'a, Backlog> {
        backlog::backlog(self).boxed()
    }
}
