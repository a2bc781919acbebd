//! The protocol in PostgreSQL's words: one statement a verb wherever one can do it, many members in each.
//!
//! Every guarded write has the same shape. A first part locks the rows, in id order, so that two groups never wait for
//! each other in a ring; while locking, PostgreSQL checks the guard again on each row's newest version. A second part
//! changes what was locked. So a guard is never decided on a version that somebody else has replaced.

mod append;
mod backlog;
mod chunk;
mod claim;
mod confirm;
mod count_dead_letters;
mod deliver;
mod finish;
mod hand_back;
mod inbox;
mod jobs;
mod journal;
mod recover;
mod relay;
mod release;
mod renew;
mod settle;
mod submit;
mod suspend;
mod unpublish_lane;
mod watch;

use std::time::Duration;

use futures_util::FutureExt;
use gristmill_core::ExecutionId;

use crate::postgres_pool::PostgresPool;
use crate::protocol::{
    Answer, Append, Backlog, Chunk, Claim, Claimed, DeadLetter, Decide, Delivered, Due, Held, Mail, Protocol,
    Received, Settle, Submit, Submitted, Suspend, Suspended, Wake, Watched,
};
use crate::{System, Tenant};

impl Protocol for PostgresPool {
    fn submit<'a>(
        &'a self,
        tenant: &'a Tenant,
        members: &'a [Submit],
        publish_within: Duration,
    ) -> Answer<'a, Vec<Submitted>> {
        submit::submit(self, tenant, members, publish_within).boxed()
    }

    fn confirm<'a>(&'a self, _system: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()> {
        confirm::confirm(self, jobs).boxed()
    }

    fn claim<'a>(
        &'a self,
        _system: System,
        jobs: &'a [(ExecutionId, i32)],
        claim: &'a Claim,
    ) -> Answer<'a, Vec<Claimed>> {
        claim::claim(self, jobs, claim).boxed()
    }

    fn journal<'a>(
        &'a self,
        _system: System,
        ids: &'a [ExecutionId],
    ) -> Answer<'a, Vec<(ExecutionId, Vec<Chunk>)>> {
        journal::journal(self, ids).boxed()
    }

    fn append<'a>(&'a self, _system: System, members: &'a [Append]) -> Answer<'a, Vec<Held>> {
        append::append(self, members).boxed()
    }

    fn settle<'a>(&'a self, _system: System, members: &'a [Settle]) -> Answer<'a, Vec<Held>> {
        settle::settle(self, members).boxed()
    }

    fn suspend<'a>(&'a self, _system: System, members: &'a [Suspend]) -> Answer<'a, Vec<Suspended>> {
        suspend::suspend(self, members).boxed()
    }

    fn release<'a>(&'a self, _system: System, members: &'a [Append]) -> Answer<'a, Vec<Held>> {
        release::release(self, members).boxed()
    }

    fn hand_back<'a>(&'a self, _system: System, jobs: &'a [(ExecutionId, i32)]) -> Answer<'a, ()> {
        hand_back::hand_back(self, jobs).boxed()
    }

    fn renew<'a>(
        &'a self,
        _system: System,
        holdings: &'a [(ExecutionId, i32)],
        lease: Duration,
    ) -> Answer<'a, Vec<ExecutionId>> {
        renew::renew(self, holdings, lease).boxed()
    }

    fn watch<'a>(&'a self, _system: System, ids: &'a [ExecutionId]) -> Answer<'a, Vec<Watched>> {
        watch::watch(self, ids).boxed()
    }

    fn relay<'a>(
        &'a self,
        _system: System,
        limit: i64,
        reap: bool,
        decide: Decide<'a>,
    ) -> Answer<'a, Vec<(Due, Wake)>> {
        relay::relay(self, limit, reap, decide).boxed()
    }

    fn deliver<'a>(&'a self, tenant: &'a Tenant, mail: &'a Mail) -> Answer<'a, Delivered> {
        deliver::deliver(self, tenant, mail).boxed()
    }

    fn inbox<'a>(&'a self, _system: System, id: &'a ExecutionId, after: i64) -> Answer<'a, Vec<Received>> {
        inbox::inbox(self, id, after).boxed()
    }

    fn count_dead_letters<'a>(
        &'a self,
        _system: System,
        jobs: &'a [(ExecutionId, i32)],
        max_losses: i32,
        error: &'a str,
    ) -> Answer<'a, Vec<DeadLetter>> {
        count_dead_letters::count_dead_letters(self, jobs, max_losses, error).boxed()
    }

    fn unpublish_lane<'a>(&'a self, _system: System, lane: &'a str) -> Answer<'a, u64> {
        unpublish_lane::unpublish_lane(self, lane).boxed()
    }

    fn recover<'a>(&'a self, _system: System) -> Answer<'a, u64> {
        recover::recover(self).boxed()
    }

    fn backlog<'a>(&'a self, _system: System) -> Answer<'a, Backlog> {
        backlog::backlog(self).boxed()
    }
}
