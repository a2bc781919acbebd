//! Carries out what the state decides: evaluates, starts effects, waits, and commits to the journal in the right order.

mod attempts;
mod commands;
mod endings;
mod inline;
mod outcome;

pub use commands::{Command, Orders};
pub use outcome::{Options, Outcome};

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::ExecutionError;
use gristmill_core::journal::Entry;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::{Clock, Journal, LeaseLost, Plan, Run, State};

use attempts::{Attempt, Attempts};
use commands::Commands;

/// Runs an execution from where its journal ends until it ends itself, has to wait for long, or is told to stop.
///
/// Entries that the outcome carries are not appended yet: whoever records the outcome commits them in the same
/// transaction. When the returned future is dropped, effects in flight are aborted.
pub async fn run<J: Journal>(
    plan: Arc<Plan>,
    run: Run,
    history: Vec<Entry>,
    journal: &mut J,
    clock: &dyn Clock,
    orders: watch::Receiver<Orders>,
    options: &Options,
) -> Outcome {
    let state = match State::resume(Arc::clone(&plan), &run, &history) {
        Ok(state) => state,
        Err(foreign) => {
            let error = ExecutionError::new("foreign_journal", foreign.to_string());
            return Outcome::Failed {
                error,
                totals: crate::Totals::default(),
                entries: Vec::new(),
            };
        }
    };
    drop(history);
    let inbox = orders.borrow().inbox;
    let driver = Driver {
        deadline: plan
            .timeout_ms
            .map(|timeout| run.started_at.saturating_add_unsigned(timeout)),
        max_parallel: plan.max_parallel.map_or(options.max_parallel, |n| n as usize),
        inbox,
        commands: Commands::new(orders),
        attempts: Attempts::default(),
        pending: Vec::new(),
        owes_commit: false,
        drain_until: None,
        plan,
        run,
        state,
        journal,
        clock,
        options,
    };
    driver.drive().await.unwrap_or(Outcome::Lost)
}

struct Driver<'a, J> {
    plan: Arc<Plan>,
    run: Run,
    state: State,
    journal: &'a mut J,
    clock: &'a dyn Clock,
    options: &'a Options,
    commands: Commands,
    attempts: Attempts,
    /// How much mail had arrived when it was last looked at.
    inbox: i32,
    /// Entries that are applied and not committed.
    pending: Vec<Entry>,
    /// Whether the end of an effect is among them.
    owes_commit: bool,
    /// Database time at which the execution has taken too long.
    deadline: Option<i64>,
    max_parallel: usize,
    /// Set while draining: when effects in flight are aborted.
    drain_until: Option<Instant>,
}

impl<J: Journal> Driver<'_, J> {
    async fn drive(mut self) -> Result<Outcome, LeaseLost> {
        loop {
            self.obey()?;
            // Nothing may depend on an effect whose end is not committed: were it lost, the effect would be called again and
            // might end differently.
            if self.owes_commit && self.state.next_inline().is_some() {
                self.commit().await?;
            }
            self.run_inline().await?;
            if let Some(error) = self.failure() {
                return Ok(self.fail(error));
            }
            if self.state.is_complete() {
                return Ok(self.complete());
            }
            if self.drain_until.is_none() {
                self.start_effects().await?;
            }
            if let Some(outcome) = self.let_go().await? {
                return Ok(outcome);
            }
            // The failure of the execution belongs into the transaction that settles it, which the next turn asks for: a journal
            // that holds it and is run again would be taken for an operator's retry.
            if self.owes_commit && self.state.failure().is_none() {
                self.commit().await?;
            }
            if self.state.failure().is_some() {
                continue;
            }
            self.wait().await;
            self.take_endings();
        }
    }

    /// Commits `pending` and starts every effect that may start.
    async fn start_effects(&mut self) -> Result<(), LeaseLost> {
        let mut starting = Vec::new();
        while let Some(index) = self.state.next_effect(self.clock.now(), self.max_parallel) {
            let attempt = self.state.attempt(index);
            let path = self.plan.node(index).id.clone();
            self.record(Entry::Started {
                path,
                at: self.clock.now(),
                attempt,
            });
            starting.push(index);
        }
        if starting.is_empty() {
            return Ok(());
        }
        // An effect must not begin before the journal says so, and everything that its call was made from stands there too:
        // whoever takes over then makes the same call with the same key.
        self.commit().await?;
        for index in starting {
            let attempt = Attempt {
                index,
                number: self.state.attempt(index),
                idempotency_key: self.state.idempotency_key(index),
                execution_id: self.run.execution_id.clone(),
            };
            self.attempts.start(&self.plan, &self.state.scope(index), attempt);
        }
        Ok(())
    }

    /// Waits until an effect ends, a backoff or the deadline comes, or a command arrives.
    async fn wait(&mut self) {
        let wake_at = self
            .wake_at()
            .map(|at| Instant::now() + millis_between(self.clock.now(), at));
        let wake = [wake_at, self.drain_until].into_iter().flatten().min();
        let alarm = async {
            match wake {
                Some(wake) => sleep_until(wake).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.commands.changed() => {}
            () = self.attempts.any_ended() => {}
            () = alarm => {}
        }
    }

    /// Commits every pending entry together. A stop does not wait for a database that hangs.
    async fn commit(&mut self) -> Result<(), LeaseLost> {
        let entries = std::mem::take(&mut self.pending);
        self.owes_commit = false;
        tokio::select! {
            biased;
            () = self.commands.stopped() => Err(LeaseLost),
            result = self.journal.append(entries) => result,
        }
    }

    /// Applies `entry` and keeps it for the next commit.
    fn record(&mut self, entry: Entry) {
        // The driver only makes entries about nodes of its own plan, which is all that `apply` can refuse.
        if let Err(foreign) = self.state.apply(&entry) {
            tracing::error!(execution.id = %self.run.execution_id, error = %foreign, "entry not applied");
        }
        self.pending.push(entry);
    }

    /// The earliest of backoffs and deadline: database time.
    fn wake_at(&mut self) -> Option<i64> {
        let due = if self.drain_until.is_none() {
            self.state.next_due()
        } else {
            None
        };
        [due, self.deadline].into_iter().flatten().min()
    }

    fn obey(&mut self) -> Result<(), LeaseLost> {
        match self.commands.current().command {
            Command::Run => Ok(()),
            Command::Drain => {
                let grace = self.options.drain_grace;
                self.drain_until.get_or_insert_with(|| Instant::now() + grace);
                Ok(())
            }
            Command::Stop => Err(LeaseLost),
        }
    }
}

fn millis_between(now: i64, then: i64) -> Duration {
    Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or_default())
}
