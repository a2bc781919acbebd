//! What follows when an attempt ends, and how the whole execution ends.

use gristmill_core::ExecutionError;
use gristmill_core::journal::Entry;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::delay::delay;
use crate::{FailureClass, Journal, LeaseLost, NodeFailure, Suspension, size};

use super::attempts::Ended;
use super::{Driver, Outcome};

impl<J: Journal> Driver<'_, J> {
    /// Records every attempt that ended.
    pub(super) fn take_endings(&mut self) {
        for ended in self.attempts.take_ended() {
            // Once the execution has failed, what other effects come to is dropped: they count as aborted.
            if self.state.failure().is_some() {
                return;
            }
            let entry = self.ending(ended);
            self.record(entry);
            self.owes_commit = true;
        }
    }

    /// What to journal about an attempt: its output, that another follows, or its failure.
    fn ending(&self, ended: Ended) -> Entry {
        let node = self.plan.node(ended.index);
        let (path, at) = (node.id.clone(), self.clock.now());
        let duration_ms = u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX);
        let result = ended
            .result
            .and_then(|done| self.within_limits(&done.output).map(|()| done));
        let failure = match result {
            Ok(done) => {
                let (output, usage) = (done.output, done.usage);
                return Entry::Completed {
                    path,
                    at,
                    duration_ms,
                    output,
                    handle: None,
                    usage,
                    mail: None,
                };
            }
            Err(failure) => failure,
        };
        let attempt = self.state.attempt(ended.index);
        tracing::debug!(
            execution.id = %self.run.execution_id, node.id = path, attempt, duration_ms,
            code = failure.error.code, "an attempt failed"
        );
        match failure.class {
            FailureClass::Retry { after } if attempt < node.retry.max_attempts => {
                let delay = delay(&node.retry, attempt, after).as_millis();
                let retry_at = at.saturating_add(i64::try_from(delay).unwrap_or(i64::MAX));
                Entry::Retrying {
                    path,
                    at,
                    duration_ms,
                    attempt,
                    error: *failure.error,
                    retry_at,
                    mail: None,
                }
            }
            FailureClass::Retry { .. } | FailureClass::Final => Entry::Failed {
                path,
                at,
                duration_ms,
                attempts: attempt,
                error: *failure.error,
                then: node.on_failure,
                mail: None,
            },
        }
    }

    /// Refuses an output that would make a node or the execution too large to be kept.
    pub(super) fn within_limits(&self, output: &Map<String, Value>) -> Result<(), NodeFailure> {
        let size = size::of_object(output);
        let (node_limit, execution_limit) = (
            self.options.limits.max_node_output,
            self.options.limits.max_execution_output,
        );
        if size > node_limit {
            let message = format!("the output has {size} bytes; the limit of one node is {node_limit}");
            return Err(NodeFailure::last("node_output_limit", message));
        }
        let total = self.state.output_bytes() + size;
        if total > execution_limit {
            let message = format!(
                "all outputs together have {total} bytes; the limit of one execution is {execution_limit}"
            );
            return Err(NodeFailure::last("execution_output_limit", message));
        }
        Ok(())
    }

    /// Why the execution has failed, if it has.
    pub(super) fn failure(&self) -> Option<ExecutionError> {
        if let Some(error) = self.state.failure() {
            return Some(error.clone());
        }
        self.is_late().then(|| {
            let limit = self.plan.timeout_ms.unwrap_or_default();
            ExecutionError::new(
                "timeout",
                format!("the execution took longer than its timeoutMs of {limit} ms"),
            )
        })
    }

    /// Whether the deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.clock.now() >= deadline)
    }

    pub(super) fn fail(mut self, error: ExecutionError) -> Outcome {
        self.abort_effects("the execution failed");
        Outcome::Failed {
            error,
            totals: self.state.totals(),
            entries: self.pending,
        }
    }

    pub(super) fn complete(self) -> Outcome {
        Outcome::Completed {
            output: self.state.result(),
            totals: self.state.totals(),
            entries: self.pending,
        }
    }

    /// Whether the execution should leave this worker: to wait for long, or because the worker drains.
    pub(super) async fn let_go(&mut self) -> Result<Option<Outcome>, LeaseLost> {
        if self.drain_until.is_some_and(|until| Instant::now() >= until) {
            // What ended in the last moment counts: an effect that is called done need not be called again.
            self.take_endings();
            if self.owes_commit {
                return Ok(None);
            }
            self.abort_effects("the worker was stopped");
        }
        if self.state.is_in_flight() {
            return Ok(None);
        }
        let now = self.clock.now();
        if self.drain_until.is_some() && self.state.next_effect(now, self.max_parallel).is_some() {
            return Ok(Some(Outcome::Released {
                entries: std::mem::take(&mut self.pending),
            }));
        }
        let wake_at = [self.state.next_due(), self.deadline].into_iter().flatten().min();
        let is_short = wake_at.is_some_and(|at| super::millis_between(now, at) <= self.options.hold);
        if is_short && self.drain_until.is_none() {
            return Ok(None);
        }
        self.suspend(wake_at).await
    }

    /// Lets go until `wake_at` or mail; `None` when mail has come already, and is to be looked at first.
    async fn suspend(&mut self, wake_at: Option<i64>) -> Result<Option<Outcome>, LeaseLost> {
        let suspension = self.journal.suspend(&self.pending, wake_at, self.inbox).await?;
        Ok(match suspension {
            Suspension::Done => Some(Outcome::Suspended { wake_at }),
            Suspension::MailArrived { inbox } => {
                self.inbox = inbox;
                None
            }
        })
    }

    fn abort_effects(&mut self, reason: &str) {
        self.attempts.abort();
        for index in self.state.in_flight() {
            let path = self.plan.node(index).id.clone();
            self.record(Entry::Aborted {
                path,
                at: self.clock.now(),
                reason: reason.to_owned(),
            });
        }
    }
}
