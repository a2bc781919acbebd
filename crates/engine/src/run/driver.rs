//! Driver: carries out what the state decides: evaluates, starts effects, waits, and commits to the journal in the right
//! order.

mod attempts;
mod children;
mod commands;
mod endings;
mod inline;
mod outcome;

pub use commands::{Command, Control};
pub use outcome::{Options, Outcome};

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionError, Totals};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::graph::plan::PlanNode;
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
    control: watch::Receiver<Control>,
    options: &Options,
) -> Outcome {
    let state = match State::resume(Arc::clone(&plan), &run, &history) {
        Ok(state) => state,
        Err(foreign) => {
            let error = ExecutionError::new("foreign_journal", foreign.to_string());
            return Outcome::Failed {
                error,
                totals: Totals::default(),
                entries: Vec::new(),
            };
        }
    };
    drop(history);
    let driver = Driver {
        max_parallel: plan.max_parallel.map_or(options.max_parallel, |n| n as usize),
        commands: Commands::new(control),
        attempts: Attempts::default(),
        inbox: 0,
        pending: Vec::new(),
        owes_commit: false,
        began_waiting: false,
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
    /// How many messages had arrived when they were last read.
    inbox: i32,
    /// Entries that are applied and not committed.
    pending: Vec<Entry>,
    /// Whether the end of an effect is among them.
    owes_commit: bool,
    /// Whether something among them counts from now: a wait, or a `forEach` with its time.
    began_waiting: bool,
    max_parallel: usize,
    /// Set while draining: when effects in flight are aborted.
    drain_until: Option<Instant>,
}

impl<J: Journal> Driver<'_, J> {
    async fn drive(mut self) -> Result<Outcome, LeaseLost> {
        loop {
            let control = self.obey()?;
            if control.inbox > self.inbox {
                self.read_inbox(control.inbox).await?;
            }
            // Nothing may depend on an effect whose end is not committed: were it lost, the effect would be called again and
            // might end differently.
            if self.owes_commit && self.state.next_inline(self.clock.now()).is_some() {
                self.commit().await?;
            }
            self.run_inline().await?;
            if let Some(error) = self.failure() {
                match self.fail(error) {
                    Some(outcome) => return Ok(outcome),
                    None => continue,
                }
            }
            if self.state.is_complete() {
                return Ok(self.complete());
            }
            // One look at the clock for the rest of the turn: a backoff that ended between two looks would be ready, and no
            // timer any more, when all that is ready has been started; then nothing would ever wake the driver.
            let now = self.clock.now();
            if self.drain_until.is_none() {
                self.start_children(now).await?;
                self.start_effects(now).await?;
                if self.state.failure().is_some() || self.state.next_inline(now).is_some() {
                    continue;
                }
            }
            if let Some(outcome) = self.let_go(now).await? {
                return Ok(outcome);
            }
            // The failure of the execution belongs into the transaction that settles it, which the next turn asks for.
            if self.owes_commit && self.state.failure().is_none() {
                self.commit().await?;
            }
            if self.state.failure().is_some() || self.state.next_inline(now).is_some() {
                continue;
            }
            // Sleep may last as long as an effect does. Were the worker lost meanwhile, a wait that is not committed would
            // begin again, and end later.
            if self.began_waiting {
                self.commit().await?;
            }
            self.wait().await;
            self.take_endings();
        }
    }

    /// Reads the messages that have come since the last look; `inbox` is how many there are, or more than that.
    async fn read_inbox(&mut self, inbox: i32) -> Result<(), LeaseLost> {
        let after = self.state.last_message();
        let messages = tokio::select! {
            biased;
            () = self.commands.stopped() => return Err(LeaseLost),
            messages = self.journal.inbox(after) => messages?,
        };
        self.state.receive(messages);
        self.inbox = inbox;
        Ok(())
    }

    /// Commits `pending` and starts every effect that may start at `now`.
    async fn start_effects(&mut self, now: i64) -> Result<(), LeaseLost> {
        let mut starting = Vec::new();
        while let Some(run) = self.state.next_effect(now, self.max_parallel) {
            let entry = Entry::Started {
                path: self.state.path(run),
                at: self.clock.now(),
                attempt: self.state.attempt(run),
            };
            self.record(run, entry);
            starting.push(run);
        }
        if starting.is_empty() {
            return Ok(());
        }
        // An effect must not begin before the journal says so, and everything that its call was made from stands there too:
        // whoever takes over then makes the same call with the same key.
        self.commit().await?;
        for run in starting {
            let attempt = Attempt {
                run,
                number: self.state.attempt(run),
                idempotency_key: self.state.idempotency_key(run),
                execution_id: self.run.execution_id.clone(),
            };
            let node = self.plan.node(self.state.node(run));
            self.attempts.start(node, &self.state.scope(run), attempt);
        }
        Ok(())
    }

    /// Waits until an effect ends, a timer or the deadline comes, or the control changes.
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
        self.owes_commit = false;
        self.began_waiting = false;
        if self.pending.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.pending);
        tokio::select! {
            biased;
            () = self.commands.stopped() => Err(LeaseLost),
            result = self.journal.append(entries) => result,
        }
    }

    /// Applies an entry about a node run and keeps it for the next commit.
    fn record(&mut self, run: u32, entry: Entry) {
        self.state.apply_to(run, &entry);
        self.began_waiting |= matches!(entry, Entry::Waiting { .. } | Entry::Expanded { .. });
        self.pending.push(entry);
    }

    /// Applies an entry about the whole execution and keeps it for the next commit.
    fn note(&mut self, entry: Entry) {
        // Only entries about node runs can be refused.
        if let Err(foreign) = self.state.apply(&entry) {
            tracing::error!(execution.id = %self.run.execution_id, error = %foreign, "entry not applied");
        }
        self.pending.push(entry);
    }

    fn node_of(&self, run: u32) -> &PlanNode {
        self.plan.node(self.state.node(run))
    }

    fn obey(&mut self) -> Result<Control, LeaseLost> {
        let control = self.commands.current();
        match control.command {
            Command::Run => {}
            Command::Drain => {
                let grace = self.options.drain_grace;
                self.drain_until.get_or_insert_with(|| Instant::now() + grace);
            }
            Command::Stop => return Err(LeaseLost),
        }
        Ok(control)
    }
}

fn millis_between(now: i64, then: i64) -> Duration {
    Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or_default())
}

fn after(at: i64, delay: Duration) -> i64 {
    at.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}
