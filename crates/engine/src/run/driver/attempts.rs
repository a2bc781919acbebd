//! Attempts: attempts of effects in flight, each in a task of its own. All are aborted when this is dropped.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use gristmill_core::ExecutionId;
use gristmill_core::journal::Usage;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::timeout;

use crate::graph::plan::PlanNode;
use crate::run::panics::{caught, caught_future};
use crate::{Behaviour, Call, EffectOutput, NodeFailure, Scope};

/// Attempts in flight.
#[derive(Default)]
pub(super) struct Attempts {
    tasks: JoinSet<Ended>,
    /// By node run. What is not in here, or under another task, is not waited for any more.
    handles: HashMap<u32, AbortHandle>,
    /// What [`any_ended`](Self::any_ended) has seen and nobody has taken.
    ended: VecDeque<Ended>,
    /// By node run: what attempts used that ended, and whose ends are dropped.
    dropped: HashMap<u32, Box<Usage>>,
}

/// An attempt about to begin.
pub(super) struct Attempt {
    pub run: u32,
    /// The first is 1.
    pub number: u32,
    pub idempotency_key: String,
    pub execution_id: ExecutionId,
}

/// An attempt that ended.
pub(super) struct Ended {
    pub run: u32,
    pub duration: Duration,
    pub result: Result<EffectOutput, NodeFailure>,
}

/// How long an attempt may take where neither the node nor its kind says.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Attempts {
    /// Starts an attempt of the node's effect.
    pub(super) fn start(&mut self, node: &PlanNode, scope: &Scope, attempt: Attempt) {
        let (run, kind, limit) = (attempt.run, node.rest.kind, node.rest.timeout.unwrap_or(LONGEST));
        let call = Call {
            idempotency_key: attempt.idempotency_key,
            attempt: attempt.number,
            execution_id: attempt.execution_id,
            node_id: node.id.to_string(),
            timeout: limit,
        };
        let work = caught(|| match &node.behaviour {
            Behaviour::Effect(effect) => effect.start(scope, call),
            _ => Err(NodeFailure::last("internal", "the node is no effect")),
        });
        let handle = self.tasks.spawn(async move {
            let began = Instant::now();
            let result = match work {
                Err(failure) => Err(failure),
                Ok(work) => timeout(limit, caught_future(work))
                    .await
                    .unwrap_or_else(|_| Err(took_too_long(limit))),
            };
            let duration = began.elapsed();
            metrics::histogram!("gristmill_node_duration_seconds", "kind" => kind).record(duration);
            Ended {
                run,
                duration,
                result,
            }
        });
        self.handles.insert(run, handle);
    }

    /// Returns when some attempt has ended; never when none is in flight. May be dropped and called again.
    pub(super) async fn any_ended(&mut self) {
        while self.ended.is_empty() {
            match self.tasks.join_next_with_id().await {
                Some(joined) => self.note(joined),
                None => std::future::pending().await,
            }
        }
    }

    /// Whether any attempt has ended whose end was not taken.
    pub(super) fn have_ended(&mut self) -> bool {
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            self.note(joined);
        }
        !self.ended.is_empty()
    }

    /// The next attempt that has ended. Those that follow may be aborted by what this one means.
    pub(super) fn take_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    fn note(&mut self, joined: Result<(Id, Ended), JoinError>) {
        match joined {
            Ok((id, ended)) => {
                if self
                    .handles
                    .get(&ended.run)
                    .is_some_and(|handle| handle.id() == id)
                {
                    self.handles.remove(&ended.run);
                    self.ended.push_back(ended);
                }
            }
            // A task ends without a result only when it is aborted, and then nobody waits for it.
            Err(error) if error.is_cancelled() => {}
            Err(error) => tracing::error!(%error, "an attempt was lost"),
        }
    }

    /// Aborts one attempt. What it would have returned is dropped, up to its usage.
    pub(super) fn abort(&mut self, run: u32) {
        if self.have_ended()
            && let Some(place) = self.ended.iter().position(|ended| ended.run == run)
        {
            let ended = self.ended.remove(place);
            self.keep_usage(ended);
        }
        if let Some(handle) = self.handles.remove(&run) {
            handle.abort();
        }
    }

    /// Aborts what is in flight. What it would have returned is dropped, up to the usage of what has ended.
    pub(super) fn abort_all(&mut self) {
        if self.have_ended() {
            for ended in std::mem::take(&mut self.ended) {
                self.keep_usage(Some(ended));
            }
        }
        self.tasks.abort_all();
        self.tasks.detach_all();
        self.handles.clear();
    }

    /// Drops the end of an attempt, up to what it used.
    fn keep_usage(&mut self, ended: Option<Ended>) {
        let used = ended.and_then(|Ended { run, result, .. }| {
            let usage = match result {
                Ok(done) => done.usage.map(Box::new),
                Err(failure) => failure.usage,
            };
            Some((run, usage?))
        });
        self.dropped.extend(used);
    }

    /// What the node run's attempt used, if it has ended and its end was dropped.
    pub(super) fn take_usage(&mut self, run: u32) -> Option<Box<Usage>> {
        self.dropped.remove(&run)
    }
}

fn took_too_long(limit: Duration) -> NodeFailure {
    NodeFailure::retry(
        "timeout",
        format!("the attempt took longer than {} ms", limit.as_millis()),
    )
}
