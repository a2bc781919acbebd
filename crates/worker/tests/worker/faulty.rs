//! The real database behind a bad connection: a chosen verb is carried out, or not even that, and its caller hears that
//! the connection was lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use gristmill_core::ExecutionId;
use gristmill_store::{
    Actor, Answer, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, DeadLetter, Decide,
    Deleted, Delivered, Due, Ended, Error, Held, InboxMessage, Protocol, Received, Replay, Replayed,
    Retention, Retried, Settle, StartChild, Submit, Submitted, Suspend, Suspended, Sweep, System, Tenant,
    Wake, Watched, protocol_verbs,
};

pub struct Faulty {
    inner: Arc<dyn Protocol>,
    verb: &'static str,
    /// Whether the verb is carried out before its answer is lost.
    carry_out: bool,
    left: AtomicUsize,
    lost: AtomicUsize,
    /// Whose claims are over a limit, as often as this says.
    over_limit: Mutex<HashMap<ExecutionId, usize>>,
}

impl Faulty {
    /// Loses the next `times` answers of `verb`.
    pub fn new(inner: Arc<dyn Protocol>, verb: &'static str, times: usize) -> Arc<Self> {
        Self::build(inner, verb, true, times)
    }

    /// Loses the next `times` calls of `verb` on their way to the database.
    pub fn refusing(inner: Arc<dyn Protocol>, verb: &'static str, times: usize) -> Arc<Self> {
        Self::build(inner, verb, false, times)
    }

    /// Says that this execution is over its organization's limit, the next `times` that it is claimed; and loses the first
    /// `lost` calls of `return_jobs` on their way to the database.
    pub fn over_limit(inner: Arc<dyn Protocol>, id: &ExecutionId, times: usize, lost: usize) -> Arc<Self> {
        let faulty = Self::build(inner, "return_jobs", false, lost);
        faulty.over_limit.lock().unwrap().insert(id.clone(), times);
        faulty
    }

    /// How often an execution will be over the limit yet.
    pub fn over_limit_yet(&self, id: &ExecutionId) -> usize {
        self.over_limit.lock().unwrap()[id]
    }

    fn is_over_limit(&self, id: &ExecutionId) -> bool {
        let mut over_limit = self.over_limit.lock().unwrap();
        let left = over_limit.get_mut(id).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }

    /// Claims the others, and puts each answer in its place.
    async fn claim_within_limit(
        &self,
        jobs: &[(ExecutionId, i32)],
        claim: &Claim,
    ) -> Result<Vec<ClaimAnswer>, Error> {
        let over: Vec<_> = jobs.iter().map(|(id, _)| self.is_over_limit(id)).collect();
        let within = jobs.iter().zip(&over).filter(|(_, over)| !**over);
        let within: Vec<_> = within.map(|(job, _)| job.clone()).collect();
        let mut answers = self.inner.claim(System, &within, claim).await?.into_iter();
        Ok(over
            .into_iter()
            .map(|over| match over {
                true => ClaimAnswer::OverLimit,
                false => answers.next().unwrap(),
            })
            .collect())
    }

    fn build(inner: Arc<dyn Protocol>, verb: &'static str, carry_out: bool, times: usize) -> Arc<Self> {
        let (left, lost) = (AtomicUsize::new(times), AtomicUsize::new(0));
        Arc::new(Self {
            inner,
            verb,
            carry_out,
            left,
            lost,
            over_limit: Mutex::default(),
        })
    }

    /// How many answers were lost so far.
    pub fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }

    fn lose<'a, T: Send + 'a>(&'a self, verb: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
        async move {
            let one_less = |left: usize| left.checked_sub(1);
            let lose = verb == self.verb
                && self
                    .left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                    .is_ok();
            if !lose {
                return answer.await;
            }
            if self.carry_out {
                drop(answer.await?);
            }
            self.lost.fetch_add(1, Ordering::SeqCst);
            Err(Error::Lost(diesel::result::Error::BrokenTransactionManager))
        }
        .boxed()
    }
}

/// What a verb comes to, unless it is lost.
macro_rules! carried_out {
    ($faulty:tt, claim, $system:ident, $jobs:ident, $claim:ident) => {{
        let System = $system;
        $faulty.claim_within_limit($jobs, $claim).boxed()
    }};
    ($faulty:tt, $verb:ident $(, $argument:ident)*) => {
        $faulty.inner.$verb($($argument),*)
    };
}

macro_rules! delegate {
    ($($(#[$doc:meta])* fn $verb:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Protocol for Faulty {
            $(fn $verb<'a>(&'a self, $($argument: $type),*) -> Answer<'a, $answer> {
                self.lose(stringify!($verb), carried_out!(self, $verb $(, $argument)*))
            })*
        }
    };
}

protocol_verbs!(delegate);
