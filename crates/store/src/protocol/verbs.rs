//! The protocol, twice: once in the words of each database.

/// Implements [`Protocol`](crate::Protocol) for a pool by the verb files of the module that calls this: each verb is
/// `<verb>::<verb>(pool, …)`. Whose behalf it is on is only passed on where it is a tenant's; the system's statements see
/// every organization.
macro_rules! protocol_by_verbs {
    ($pool:ty) => {
        use std::time::Duration;

        use futures_util::FutureExt;
        use gristmill_core::ExecutionId;

        use $crate::{
            Actor, Answer, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, DeadLetter,
            Decide, Deleted, Delivered, Due, Ended, Held, Mail, Protocol, Received, Replay, Replayed,
            Retention, Retried, Settle, StartChild, Submit, Submitted, Suspend, Suspended, Sweep, System,
            Tenant, Wake, Watched,
        };

        impl Protocol for $pool {
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
            ) -> Answer<'a, Vec<ClaimAnswer>> {
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

            fn ended<'a>(&'a self, _: System, ids: &'a [ExecutionId]) -> Answer<'a, Vec<Ended>> {
                ended::ended(self, ids).boxed()
            }

            fn relay<'a>(
                &'a self,
                _: System,
                sweep: Sweep,
                decide: Decide<'a>,
            ) -> Answer<'a, Vec<(Due, Wake)>> {
                relay::relay(self, sweep, decide).boxed()
            }

            fn deliver<'a>(
                &'a self,
                tenant: &'a Tenant,
                actor: &'a Actor,
                mail: &'a Mail,
                limit: i32,
            ) -> Answer<'a, Delivered> {
                deliver::deliver(self, tenant, actor, mail, limit).boxed()
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

            fn cancel<'a>(
                &'a self,
                tenant: &'a Tenant,
                actor: &'a Actor,
                id: &'a ExecutionId,
            ) -> Answer<'a, Cancelled> {
                cancel::cancel(self, tenant, actor, id).boxed()
            }

            fn retry<'a>(
                &'a self,
                tenant: &'a Tenant,
                actor: &'a Actor,
                id: &'a ExecutionId,
            ) -> Answer<'a, Retried> {
                retry::retry(self, tenant, actor, id).boxed()
            }

            fn replay<'a>(
                &'a self,
                tenant: &'a Tenant,
                actor: &'a Actor,
                replay: &'a Replay,
            ) -> Answer<'a, Replayed> {
                replay::replay(self, tenant, actor, replay).boxed()
            }

            fn start_child<'a>(&'a self, _: System, child: &'a StartChild) -> Answer<'a, ChildStarted> {
                start_child::start_child(self, child).boxed()
            }

            fn delete<'a>(
                &'a self,
                tenant: &'a Tenant,
                actor: &'a Actor,
                id: &'a ExecutionId,
            ) -> Answer<'a, Deleted> {
                delete::delete(self, tenant, actor, id).boxed()
            }

            fn prune<'a>(&'a self, _: System, retention: &'a Retention, limit: i64) -> Answer<'a, u64> {
                prune::prune(self, retention, limit).boxed()
            }

            fn release_held<'a>(&'a self, _: System, limit: i64) -> Answer<'a, u64> {
                release_held::release_held(self, limit).boxed()
            }

            fn count_ends<'a>(&'a self, _: System, limit: i64) -> Answer<'a, u64> {
                count_ends::count_ends(self, limit).boxed()
            }

            fn recover<'a>(&'a self, _: System) -> Answer<'a, u64> {
                recover::recover(self).boxed()
            }

            fn backlog<'a>(&'a self, _: System) -> Answer<'a, Backlog> {
                backlog::backlog(self).boxed()
            }
        }
    };
}

pub(super) use protocol_by_verbs;
