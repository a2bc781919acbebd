//! Endings: what follows when an attempt ends, and how the whole execution ends.

use gristmill_core::journal::{Entry, NodeError, Output, check_members};
use gristmill_core::{ExecutionError, failpoint};
use tokio::time::Instant;

use crate::language::size;
use crate::run::delay::delay;
use crate::{EffectOutput, FailureClass, Journal, LeaseLost, NodeFailure, Suspension};

use super::attempts::Ended;
use super::{Driver, Outcome};

impl<J: Journal> Driver<'_, J> {
    /// Records every attempt that ended.
    pub(super) fn take_endings(&mut self) {
        if self.attempts.have_ended() {
            failpoint::reach("effect.ended");
        }
        // Once the execution has failed, or the item that it belongs to, what an effect comes to is dropped: it counts as
        // aborted. What it used stays, for the entry that says so.
        while self.state.failure().is_none()
            && let Some(ended) = self.attempts.take_ended()
        {
            if self.state.is_awaited(ended.run) {
                let run = ended.run;
                let entry = self.ending(ended);
                self.record(run, entry);
                self.abort_orphans();
                self.owes_commit = true;
            }
        }
    }

    /// What to journal about an attempt: its output, that another follows, or its failure.
    fn ending(&self, ended: Ended) -> Entry {
        let (run, at) = (ended.run, self.clock.now());
        let duration_ms = u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX);
        let result = ended.result.and_then(|EffectOutput { output, usage }| {
            let output = Output::from(output);
            match self.within_limits(&output) {
                Ok(()) => Ok((output, usage.map(Box::new))),
                // What came of the call is refused; it is paid for all the same.
                Err(failure) => Err(failure.with_usage(usage)),
            }
        });
        match result {
            Ok((output, usage)) => Entry::Completed {
                path: self.state.path(run),
                at,
                duration_ms,
                output,
                handle: None,
                usage,
                mail: None,
            },
            Err(failure) => self.failed(run, at, duration_ms, failure, None),
        }
    }

    /// What to journal about a node run whose attempt failed: that another follows, or its failure for good.
    pub(super) fn failed(
        &self,
        run: u32,
        at: i64,
        duration_ms: u64,
        failure: NodeFailure,
        mail: Option<i64>,
    ) -> Entry {
        let rest = &self.node_of(run).rest;
        let path = self.state.path(run);
        let attempt = self.state.attempt(run);
        let NodeFailure {
            mut error,
            class,
            usage,
        } = failure;
        keep_what_can_be_read(&mut error);
        tracing::debug!(
            execution.id = %self.run.execution_id, node.id = path, attempt, duration_ms,
            code = error.code, "an attempt failed"
        );
        match class {
            FailureClass::Retry { after } if rest.retry.allows_another(attempt, &error.code) => {
                let retry_at = super::after(at, delay(&rest.retry, attempt, after));
                Entry::Retrying {
                    path,
                    at,
                    duration_ms,
                    attempt,
                    error,
                    retry_at,
                    usage,
                    mail,
                }
            }
            FailureClass::Retry { .. } | FailureClass::Final => Entry::Failed {
                path,
                at,
                duration_ms,
                attempts: attempt,
                error,
                then: rest.on_failure,
                usage,
                mail,
            },
        }
    }

    /// Refuses an output that could not be read back, or would make a node or the execution too large to be kept.
    pub(super) fn within_limits(&self, output: &Output) -> Result<(), NodeFailure> {
        check_members(output.iter()).map_err(|cause| NodeFailure::not_kept("the output", cause))?;
        let size = size::of_members(output.iter());
        let limits = &self.options.limits;
        let (node_limit, execution_limit) = (limits.max_node_output, limits.max_execution_output);
        if size > node_limit {
            let message = format!(
                "the output has {size} bytes; the limit of one node is limits.max_node_output, {node_limit}"
            );
            return Err(NodeFailure::last("node_output_limit", message));
        }
        let total = self.state.sizes().output_bytes + size;
        if total > execution_limit {
            let message = format!(
                "all outputs together have {total} bytes; the limit of one execution is limits.max_execution_output, \
                 {execution_limit}"
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
        if self.is_late() {
            let limit = self.plan.timeout_ms.unwrap_or_default();
            let message = format!("the execution took longer than its timeoutMs of {limit} ms");
            return Some(ExecutionError::new("timeout", message));
        }
        self.oversize()
    }

    /// Whether the deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        self.deadline()
            .is_some_and(|deadline| self.clock.now() >= deadline)
    }

    /// Database time at which the execution has taken too long. An operator who retries it gives it the whole time again.
    fn deadline(&self) -> Option<i64> {
        let began = self.state.retried_by_operator_at().unwrap_or(self.run.started_at);
        let timeout = self.plan.timeout_ms?;
        Some(began.saturating_add_unsigned(timeout))
    }

    /// Whether the journal has passed a limit.
    pub(super) fn is_too_large(&self) -> bool {
        let (sizes, limits) = (self.state.sizes(), &self.options.limits);
        sizes.journal_entries > limits.max_journal_entries || sizes.journal_bytes > limits.max_journal_bytes
    }

    fn oversize(&self) -> Option<ExecutionError> {
        if !self.is_too_large() {
            return None;
        }
        let (sizes, limits) = (self.state.sizes(), &self.options.limits);
        let (code, message) = if sizes.journal_entries > limits.max_journal_entries {
            let limit = limits.max_journal_entries;
            let message = format!("the journal has more entries than limits.max_journal_entries, {limit}");
            ("journal_entries_limit", message)
        } else {
            let limit = limits.max_journal_bytes;
            let message = format!("the journal has more bytes than limits.max_journal_bytes, {limit}");
            ("journal_bytes_limit", message)
        };
        Some(ExecutionError::new(code, message))
    }

    /// The execution has failed: it ends, unless its workflow wants it to be tried again.
    pub(super) fn fail(&mut self, error: ExecutionError) -> Option<Outcome> {
        self.abort_effects("the execution failed");
        let attempt = self.state.retries() + 1;
        let is_own = self.state.failure().is_some() && !self.state.is_unrepeatable();
        let policy = self.plan.retry.as_ref().filter(|_| is_own);
        if let Some(policy) = policy.filter(|policy| policy.allows_another(attempt, &error.code)) {
            let at = self.clock.now();
            let resume_at = super::after(at, delay(policy, attempt, None));
            tracing::info!(execution.id = %self.run.execution_id, attempt, code = error.code, "failed; is tried again");
            self.note(Entry::Reopened {
                at,
                resume_at: Some(resume_at),
            });
            return None;
        }
        Some(Outcome::Failed {
            error,
            totals: self.state.totals(),
            entries: std::mem::take(&mut self.pending),
        })
    }

    pub(super) fn complete(self) -> Outcome {
        Outcome::Completed {
            output: self.state.result(),
            totals: self.state.totals(),
            entries: self.pending,
        }
    }

    /// The earliest of timers, backoffs and deadline: database time.
    pub(super) fn wake_at(&mut self) -> Option<i64> {
        [self.state.next_due(), self.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether the execution should leave this worker: to wait for long, or because the worker drains. `now` is the turn's
    /// one look at the clock.
    pub(super) async fn let_go(&mut self, now: i64) -> Result<Option<Outcome>, LeaseLost> {
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
        if self.drain_until.is_some() && self.state.is_ready(now) {
            return Ok(Some(Outcome::Released {
                entries: std::mem::take(&mut self.pending),
            }));
        }
        // A timer that has rung is none that would wake the execution again, nor is what was stopped and must not be repeated.
        if self.state.next_inline(now).is_some() {
            return Ok(None);
        }
        let wake_at = self.wake_at();
        let is_short = wake_at.is_some_and(|at| super::millis_between(now, at) <= self.options.hold);
        if is_short && self.drain_until.is_none() {
            return Ok(None);
        }
        self.suspend(wake_at).await
    }

    /// Lets go until `wake_at` or a message; `None` when one has come already, and is to be looked at first.
    async fn suspend(&mut self, wake_at: Option<i64>) -> Result<Option<Outcome>, LeaseLost> {
        let suspension = self.journal.suspend(&self.pending, wake_at, self.inbox).await?;
        match suspension {
            Suspension::Done => Ok(Some(Outcome::Suspended { wake_at })),
            Suspension::MessageArrived { inbox } => {
                self.read_inbox(inbox).await?;
                Ok(None)
            }
        }
    }

    /// Aborts effects whose item goes on no more.
    pub(super) fn abort_orphans(&mut self) {
        for run in self.state.take_orphans() {
            self.attempts.abort(run);
            self.note_aborted(run, "its item failed, or another one did");
        }
    }

    fn abort_effects(&mut self, reason: &str) {
        self.attempts.abort_all();
        for run in self.state.in_flight() {
            self.note_aborted(run, reason);
        }
    }

    fn note_aborted(&mut self, run: u32, reason: &str) {
        let entry = Entry::Aborted {
            path: self.state.path(run),
            at: self.clock.now(),
            reason: reason.to_owned(),
            usage: self.attempts.take_usage(run),
        };
        self.record(run, entry);
    }
}

/// Leaves out details that could not be read back. What failed is known by the code, and matters more.
fn keep_what_can_be_read(error: &mut NodeError) {
    if let Err(cause) = check_members(&error.details) {
        error.details.clear();
        error
            .message
            .push_str(&format!(" (without its details: an object that {cause})"));
    }
}
