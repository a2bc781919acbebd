//! The state machine: journal entries in, decisions out. No I/O and no clock of its own, so that entries read back after
//! a crash and entries just made go the same way.

mod fold;
mod progress;
mod ready;

use std::sync::Arc;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionError, ExecutionId};
use serde_json::{Map, Value};

use crate::memory::{Memory, View};
use crate::{Plan, Run, Scope};

use progress::{NodeRun, Progress};
use ready::Ready;

/// How an execution stands, by what its journal says.
#[derive(Debug)]
pub struct State {
    plan: Arc<Plan>,
    execution_id: ExecutionId,
    memory: Arc<Memory>,
    runs: Vec<NodeRun>,
    ready: Ready,
    /// How many nodes have not ended.
    open: usize,
    in_flight: usize,
    failure: Option<ExecutionError>,
    /// Nodes whose failure failed the execution.
    failed: Vec<u32>,
    /// How often an operator had the execution retried.
    operator_retries: u32,
    totals: Totals,
    output_bytes: usize,
}

/// What an execution did and used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Node runs that completed.
    pub nodes_executed: u32,
    /// Tokens that models used.
    pub tokens: u64,
    /// What models cost, in millionths of a dollar.
    pub cost_micros: u64,
}

/// What to do next with a node that needs no effect. The number is the node's rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// None of its edges is live.
    Skip(u32),
    /// It is switched off, and reached.
    Disable(u32),
    /// Its turn has come.
    Evaluate(u32),
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
            runs: plan
                .nodes
                .iter()
                .map(|node| NodeRun::new(node.incoming))
                .collect(),
            ready: Ready::default(),
            open: plan.len(),
            in_flight: 0,
            failure: None,
            failed: Vec::new(),
            operator_retries: 0,
            totals: Totals::default(),
            output_bytes: 0,
            plan,
        };
        for index in 0..state.runs.len() as u32 {
            if state.plan.node(index).incoming == 0 {
                // Nothing has to lead to it: it starts as if an edge had.
                state.runs[index as usize].live = u32::from(!state.plan.node(index).disabled);
                state.make_ready(index);
            }
        }
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
        for index in 0..state.runs.len() as u32 {
            if state.runs[index as usize].progress == Progress::InFlight {
                state.take_back(index);
            }
        }
        Ok(state)
    }

    /// The next node, in rank order, that needs no effect. It stays the next until an entry about it is applied.
    pub fn next_inline(&mut self) -> Option<Inline> {
        if self.failure.is_some() {
            return None;
        }
        let runs = &self.runs;
        let index = self
            .ready
            .first_inline(|index| runs[index as usize].progress == Progress::Ready)?;
        let (run, node) = (&self.runs[index as usize], self.plan.node(index));
        Some(if run.live == 0 || (node.disabled && node.is_trigger) {
            Inline::Skip(index)
        } else if node.disabled {
            Inline::Disable(index)
        } else {
            Inline::Evaluate(index)
        })
    }

    /// The next effect to start at `now`: the lowest rank among those that are ready, unless `max_parallel` are in flight.
    pub fn next_effect(&mut self, now: i64, max_parallel: usize) -> Option<u32> {
        if self.failure.is_some() || self.in_flight >= max_parallel {
            return None;
        }
        self.wake(now);
        let runs = &self.runs;
        self.ready
            .first_effect(|index| runs[index as usize].progress == Progress::Ready)
    }

    /// When the next backoff ends: database time.
    pub fn next_due(&mut self) -> Option<i64> {
        let runs = &self.runs;
        self.ready
            .next_due(|until, index| runs[index as usize].progress == Progress::Backoff { until })
    }

    /// Whether every node has ended.
    pub fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// Why the execution failed: its first failure in journal order.
    pub fn failure(&self) -> Option<&ExecutionError> {
        self.failure.as_ref()
    }

    /// The effects that have started and not ended, lowest rank first.
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

    /// The number of a node's next attempt, or of the one under way; the first is 1.
    pub fn attempt(&self, index: u32) -> u32 {
        self.runs[index as usize].attempts + 1
    }

    /// What a node can see.
    pub fn scope(&self, index: u32) -> Scope {
        Scope::of(View::context(Arc::clone(&self.memory), index))
    }

    /// The key that a node's effect is called with.
    pub fn idempotency_key(&self, index: u32) -> String {
        let path = &self.plan.node(index).id;
        match self.operator_retries {
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

    /// What all outputs weigh together, in bytes.
    pub fn output_bytes(&self) -> usize {
        self.output_bytes
    }
}
