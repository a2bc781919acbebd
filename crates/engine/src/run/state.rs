//! The state machine: journal entries in, decisions out. No I/O and no clock of its own, so that entries read back after
//! a crash and entries just made go the same way.
//!
//! Node runs are numbered densely: those of the whole workflow first, in rank order, then those of each item as it begins.

mod fold;
mod inbox;
mod instances;
mod path;
mod progress;
mod ready;

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_core::journal::{Entry, WaitsFor};
use gristmill_core::{ExecutionError, ExecutionId, Totals};
use serde_json::{Map, Value};

use crate::run::memory::{Memory, View};
use crate::{InboxMessage, NodeFailure, Plan, Run, Scope};

use inbox::Inbox;
use instances::{EachOutcome, Expansion, Failed, Instance};
use progress::{NodeRun, Progress};
use ready::{ItemOrder, Queue, Ready, Turn};

/// How an execution stands, by what its journal says.
#[derive(Debug)]
pub struct State {
    plan: Arc<Plan>,
    execution_id: ExecutionId,
    memory: Arc<Memory>,
    runs: Vec<NodeRun>,
    /// The whole workflow, then items in the order in which they began.
    instances: Vec<Instance>,
    /// By `forEach` run.
    expansions: HashMap<u32, Expansion>,
    /// What node runs wait for, and since when.
    waits: HashMap<u32, (WaitsFor, i64)>,
    inbox: Inbox,
    ready: Ready,
    /// The latest time that anybody has looked at the timers.
    looked_at: i64,
    in_flight: usize,
    /// Effects in flight whose item goes on no more.
    orphans: Vec<u32>,
    reopened: Reopened,
    totals: Totals,
    sizes: Sizes,
}

/// How often the execution was taken up again after it had failed.
#[derive(Debug, Clone, Copy, Default)]
struct Reopened {
    /// In all.
    times: u32,
    /// By the workflow's own `retry`, since an operator did it last.
    by_itself: u32,
    /// When an operator did it last.
    by_operator_at: Option<i64>,
    /// Until when nothing goes on.
    paused_until: Option<i64>,
}

/// How large an execution has become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// All outputs together, in bytes of JSON.
    pub output_bytes: usize,
    /// Journal entries.
    pub journal_entries: usize,
    /// All journal entries together, in bytes of JSON; near enough.
    pub journal_bytes: usize,
}

/// What to do next with a node run that needs no effect. The number is the run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// None of its edges is live.
    Skip(u32),
    /// It is switched off, and reached.
    Disable(u32),
    /// Its turn has come.
    Evaluate(u32),
    /// The turn of a node that waits has come.
    Reach(u32),
    /// The turn of a `forEach` has come: its items are wanted.
    Expand(u32),
    /// Every item of a `forEach` has ended, or one has failed it.
    Close(u32),
    /// What it waited for did not come in time; for a node that waits for a time only, the time has come.
    TimeUp(u32),
    /// A message has come for it, with this number.
    Deliver(u32, i64),
    /// An attempt that must not be repeated has been lost.
    Unknown(u32),
}

/// An entry about a node run that the plan does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal tells of `{path}`, which this revision does not have")]
pub struct ForeignEntry {
    /// The node run that is unknown.
    pub path: String,
}

impl State {
    /// An execution of which nothing has happened yet.
    pub fn new(plan: Arc<Plan>, run: &Run) -> Self {
        let memory = Memory::new(Arc::clone(&plan), run.input.clone(), run.facts());
        let mut state = Self {
            execution_id: run.execution_id.clone(),
            memory: Arc::new(memory),
            runs: Vec::new(),
            instances: Vec::new(),
            expansions: HashMap::new(),
            waits: HashMap::new(),
            inbox: Inbox::default(),
            ready: Ready::default(),
            looked_at: i64::MIN,
            in_flight: 0,
            orphans: Vec::new(),
            reopened: Reopened::default(),
            totals: Totals::default(),
            sizes: Sizes::default(),
            plan,
        };
        state.add_instance(0, None, 0, ItemOrder::default(), String::new());
        state.start_instance(0);
        state
    }

    /// An execution that its journal tells of, to be taken up again.
    ///
    /// # Errors
    /// When the journal is that of another definition.
    pub fn resume(plan: Arc<Plan>, run: &Run, history: &[Entry]) -> Result<Self, ForeignEntry> {
        let mut state = Self::new(plan, run);
        for entry in history {
            state.apply(entry)?;
        }
        // Whoever held the execution is gone. An attempt that ended with it was never journalled as ended, so it does not
        // count; the next one has its number and its idempotency key.
        for run in 0..state.runs.len() as u32 {
            if state.runs[run as usize].progress == Progress::InFlight {
                state.take_back(run);
            }
        }
        state.orphans.clear();
        Ok(state)
    }

    /// Puts messages into the inbox.
    pub fn receive(&mut self, messages: Vec<InboxMessage>) {
        self.inbox.receive(messages);
    }

    /// The number of the newest message received; 0 when there was none.
    pub fn last_message(&self) -> i64 {
        self.inbox.last()
    }

    /// The next node run that needs no effect, at `now`: messages first, then by rank and item. It stays the next until an entry
    /// about it is applied.
    pub fn next_inline(&mut self, now: i64) -> Option<Inline> {
        if self.rests(now) {
            return None;
        }
        self.wake(now);
        if let Some((run, seq)) = self.next_message() {
            return Some(Inline::Deliver(run, seq));
        }
        // What has rung has rung, though `now` be an earlier time: its timer is gone, and to pass it over would be to lose it.
        let now = self.looked_at;
        let (runs, instances, expansions) = (&self.runs, &self.instances, &self.expansions);
        let run = self.ready.first(Queue::Inline, |run| {
            let here = &runs[run as usize];
            let is_over = here.progress.due().is_some_and(|due| due <= now);
            !instances[here.instance as usize].closed
                && match here.progress {
                    Progress::Ready | Progress::Unknown => true,
                    Progress::Waiting { .. } => is_over,
                    Progress::Expanded { .. } => {
                        is_over || expansions.get(&run).is_some_and(Expansion::is_decided)
                    }
                    _ => false,
                }
        })?;
        Some(self.decide(run))
    }

    /// The next effect to start at `now`: the lowest by rank and item among those that are ready, unless `max_parallel` are
    /// in flight.
    pub fn next_effect(&mut self, now: i64, max_parallel: usize) -> Option<u32> {
        if self.rests(now) || self.in_flight >= max_parallel {
            return None;
        }
        self.wake(now);
        let (runs, instances) = (&self.runs, &self.instances);
        self.ready
            .first(Queue::Effects, |run| is_ready(&runs[run as usize], instances))
    }

    /// Takes up to `limit` node runs that are to start their child executions at `now`. An entry has to follow about each that
    /// [may start](Self::may_start).
    pub fn take_children(&mut self, now: i64, limit: usize) -> Vec<u32> {
        if self.rests(now) {
            return Vec::new();
        }
        self.wake(now);
        let (runs, instances, ready) = (&self.runs, &self.instances, &mut self.ready);
        let next = || ready.take(Queue::Children, |run| is_ready(&runs[run as usize], instances));
        std::iter::from_fn(next).take(limit).collect()
    }

    /// Whether a node run that was taken may still start.
    pub(crate) fn may_start(&self, run: u32) -> bool {
        self.failure().is_none() && is_ready(&self.runs[run as usize], &self.instances)
    }

    /// Whether something could start at `now`, an effect or a child execution.
    pub fn is_ready(&mut self, now: i64) -> bool {
        if self.next_effect(now, usize::MAX).is_some() {
            return true;
        }
        let (runs, instances) = (&self.runs, &self.instances);
        let child = self
            .ready
            .first(Queue::Children, |run| is_ready(&runs[run as usize], instances));
        !self.rests(now) && child.is_some()
    }

    /// When the next timer or backoff ends: database time.
    pub fn next_due(&mut self) -> Option<i64> {
        if self.failure().is_some() {
            return None;
        }
        let (runs, instances) = (&self.runs, &self.instances);
        let due = self.ready.next_due(|until, run| {
            let here = &runs[run as usize];
            here.progress.due() == Some(until) && !instances[here.instance as usize].closed
        });
        match self.reopened.paused_until {
            Some(until) => Some(until),
            None => due,
        }
    }

    /// Whether every node has ended.
    pub fn is_complete(&self) -> bool {
        self.instances[0].open == 0
    }

    /// Why the execution failed: its first failure in journal order.
    pub fn failure(&self) -> Option<&ExecutionError> {
        self.instances[0].failure.as_ref().map(|failed| &failed.error)
    }

    /// Whether something that must not be repeated has failed, or was stopped: only an operator may want it repeated.
    pub fn is_unrepeatable(&self) -> bool {
        self.runs.iter().any(|run| {
            let stopped = matches!(
                run.progress,
                Progress::Failed | Progress::Unknown | Progress::InFlight
            );
            stopped && self.plan.node(run.node).rest.at_most_once
        })
    }

    /// How often the execution went on by itself after it had failed, since an operator last wanted it to.
    pub fn retries(&self) -> u32 {
        self.reopened.by_itself
    }

    /// When an operator last had the execution retried: database time.
    pub fn retried_by_operator_at(&self) -> Option<i64> {
        self.reopened.by_operator_at
    }

    /// The effects that have started and not ended, lowest number first.
    pub fn in_flight(&self) -> Vec<u32> {
        let runs = self.runs.iter().zip(0..);
        runs.filter(|(run, _)| run.progress == Progress::InFlight)
            .map(|(_, index)| index)
            .collect()
    }

    /// Whether any effect has started and not ended.
    pub fn is_in_flight(&self) -> bool {
        self.in_flight > 0
    }

    /// Whether the end of an effect is waited for.
    pub fn is_awaited(&self, run: u32) -> bool {
        let here = &self.runs[run as usize];
        here.progress == Progress::InFlight && !self.instances[here.instance as usize].closed
    }

    /// Effects in flight that are to be aborted, because their item goes on no more. Told once.
    pub fn take_orphans(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.orphans)
    }

    /// The number of a node run's next attempt, or of the one under way; the first is 1.
    pub fn attempt(&self, run: u32) -> u32 {
        self.runs[run as usize].attempts + 1
    }

    /// What a node run waits for, and since when.
    pub(crate) fn wait(&self, run: u32) -> Option<(&WaitsFor, i64)> {
        self.waits.get(&run).map(|(on, since)| (on, *since))
    }

    /// What is written in the message that is to be delivered to a node run.
    pub(crate) fn message(&self, run: u32, seq: i64) -> Option<&Value> {
        let name = inbox::name_of(&self.waits.get(&run)?.0)?;
        self.inbox.body(&name, seq)
    }

    /// What a `forEach` run has come to: its output, or the failure of an item, with what the item tells of it under `item`.
    pub(crate) fn each(&self, run: u32) -> Option<Result<Map<String, Value>, NodeFailure>> {
        self.each_outcome(run).map(|outcome| match outcome {
            EachOutcome::Completed(output) => Ok(output),
            EachOutcome::Failed(Failed { error, value }) => {
                let details = Map::from_iter([("item".to_owned(), value)]);
                Err(NodeFailure::last(&error.code, error.message).with_details(details))
            }
        })
    }

    /// The place in the plan of a node run's node.
    pub fn node(&self, run: u32) -> u32 {
        self.runs[run as usize].node
    }

    /// What a node run can see.
    pub fn scope(&self, run: u32) -> Scope {
        let NodeRun { instance, node, .. } = self.runs[run as usize];
        Scope::of(View::context(Arc::clone(&self.memory), instance, node))
    }

    /// The key that a node run's effect is called with.
    pub fn idempotency_key(&self, run: u32) -> String {
        self.key(&self.path(run))
    }

    /// The key of what a node run starts at `path`, which may be more than its own.
    pub(crate) fn key(&self, path: &str) -> String {
        match self.reopened.times {
            0 => format!("{}:{path}", self.execution_id),
            retry => format!("{}:{path}:r{retry}", self.execution_id),
        }
    }

    /// The result, once every node has ended.
    pub fn result(&self) -> Map<String, Value> {
        self.memory.result()
    }

    /// What the execution did and used so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How large the execution has become.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Whether nothing goes on at `now`: the execution has failed, or pauses before it is retried.
    fn rests(&mut self, now: i64) -> bool {
        if self.reopened.paused_until.is_some_and(|until| until <= now) {
            self.reopened.paused_until = None;
        }
        self.instances[0].failure.is_some() || self.reopened.paused_until.is_some()
    }

    fn next_message(&mut self) -> Option<(u32, i64)> {
        while let Some((run, seq)) = self.inbox.next() {
            let here = &self.runs[run as usize];
            let listens = matches!(here.progress, Progress::Waiting { .. });
            if listens && !self.instances[here.instance as usize].closed {
                return Some((run, seq));
            }
            self.stop_listening(run);
        }
        None
    }

    fn decide(&self, run: u32) -> Inline {
        let here = &self.runs[run as usize];
        let node = self.plan.node(here.node);
        match here.progress {
            Progress::Unknown => return Inline::Unknown(run),
            Progress::Waiting { .. } => return Inline::TimeUp(run),
            // Items that ended in time count, though nobody looked until now.
            Progress::Expanded { .. } if self.expansions[&run].is_decided() => return Inline::Close(run),
            Progress::Expanded { .. } => return Inline::TimeUp(run),
            _ => {}
        }
        if here.live == 0 || (node.disabled && node.is_trigger) {
            Inline::Skip(run)
        } else if node.disabled {
            Inline::Disable(run)
        } else {
            match node.behaviour {
                crate::Behaviour::Pause(_) => Inline::Reach(run),
                crate::Behaviour::Each(_) => Inline::Expand(run),
                crate::Behaviour::Pure(_) | crate::Behaviour::Effect(_) | crate::Behaviour::Child(_) => {
                    Inline::Evaluate(run)
                }
            }
        }
    }

    fn turn(&self, run: u32) -> Turn {
        let here = &self.runs[run as usize];
        let order = self.instances[here.instance as usize].order;
        Turn::new(self.plan.node(here.node).order, order, run)
    }

    /// Puts a node run into a queue.
    fn ask(&mut self, queue: Queue, run: u32) {
        let turn = self.turn(run);
        self.ready.add(queue, turn);
    }
}

fn is_ready(run: &NodeRun, instances: &[Instance]) -> bool {
    run.progress == Progress::Ready && !instances[run.instance as usize].closed
}
