//! Attempts of effects in flight, each in a task of its own. All are aborted when this is dropped.

use std::time::{Duration, Instant};

use gristmill_core::ExecutionId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::panics::{caught, caught_future};
use crate::{Behaviour, Call, EffectOutput, NodeFailure, Plan, Scope};

/// Attempts in flight.
#[derive(Default)]
pub(super) struct Attempts {
    tasks: JoinSet<Ended>,
    /// What [`any_ended`](Self::any_ended) has seen and nobody has taken.
    ended: Vec<Ended>,
}

/// An attempt about to begin.
pub(super) struct Attempt {
    pub index: u32,
    /// The first is 1.
    pub number: u32,
    pub idempotency_key: String,
    pub execution_id: ExecutionId,
}

/// An attempt that ended.
pub(super) struct Ended {
    pub index: u32,
    pub duration: Duration,
    pub result: Result<EffectOutput, NodeFailure>,
}

impl Attempts {
    /// Starts an attempt of the node's effect.
    pub(super) fn start(&mut self, plan: &Plan, scope: &Scope, attempt: Attempt) {
        let node = plan.node(attempt.index);
        let (index, kind, limit) = (attempt.index, node.kind, node.timeout);
        let call = Call {
            idempotency_key: attempt.idempotency_key,
            attempt: attempt.number,
            execution_id: attempt.execution_id,
            node_id: node.id.clone(),
            timeout: limit,
        };
        let work = caught(|| match &node.behaviour {
            Behaviour::Effect(effect) => effect.start(scope, call),
            Behaviour::Pure(_) => Err(NodeFailure::last("internal", "a pure node is no effect")),
        });
        self.tasks.spawn(async move {
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
                index,
                duration,
                result,
            }
        });
    }

    /// Returns when some attempt has ended; never when none is in flight. May be dropped and called again.
    pub(super) async fn any_ended(&mut self) {
        if !self.ended.is_empty() {
            return;
        }
        match self.tasks.join_next().await {
            Some(Ok(ended)) => self.ended.push(ended),
            // A task ends without a result only when it is aborted, and then nobody waits for it.
            Some(Err(error)) => tracing::error!(%error, "an attempt was lost"),
            None => std::future::pending().await,
        }
    }

    /// Every attempt that has ended, so that their entries share one commit.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        while let Some(joined) = self.tasks.try_join_next() {
            match joined {
                Ok(ended) => self.ended.push(ended),
                Err(error) => tracing::error!(%error, "an attempt was lost"),
            }
        }
        std::mem::take(&mut self.ended)
    }

    /// Aborts what is in flight. What it would have returned is dropped.
    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
        self.tasks.detach_all();
        self.ended.clear();
    }
}

fn took_too_long(limit: Duration) -> NodeFailure {
    NodeFailure::retry(
        "timeout",
        format!("the attempt took longer than {} ms", limit.as_millis()),
    )
}
