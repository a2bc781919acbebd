//! What each journal entry changes.

use std::sync::Arc;

use gristmill_core::ExecutionError;
use gristmill_core::journal::{AfterFailure, Entry, NodeError, Usage};
use serde_json::{Map, Value};

use crate::plan::{Exit, PlanEdge};
use crate::{Behaviour, size};

use super::{ForeignEntry, Progress, State};

impl State {
    /// Folds in what happened.
    ///
    /// # Errors
    /// When the plan has no such node run; nothing is changed then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), ForeignEntry> {
        let Some(path) = entry.path() else {
            self.reopen();
            return Ok(());
        };
        let index = self.plan.index(path).ok_or_else(|| ForeignEntry {
            path: path.to_owned(),
        })?;
        if self.runs[index as usize].progress == Progress::Ended {
            return Ok(());
        }
        match entry {
            Entry::Started { .. } => self.start(index),
            Entry::Completed {
                output,
                handle,
                usage,
                ..
            } => {
                self.complete(index, output, handle.as_deref(), *usage);
            }
            Entry::Retrying {
                attempt, retry_at, ..
            } => {
                self.land(index);
                self.runs[index as usize].attempts = *attempt;
                self.runs[index as usize].progress = Progress::Backoff { until: *retry_at };
                self.ready.wait_until(*retry_at, index);
            }
            Entry::Failed {
                error,
                attempts,
                then,
                ..
            } => self.fail(index, error, *attempts, *then),
            Entry::Skipped { .. } => {
                Arc::make_mut(&mut self.memory).pass(index, "SKIPPED");
                self.end(index, |_| false);
            }
            Entry::Disabled { .. } => {
                Arc::make_mut(&mut self.memory).pass(index, "DISABLED");
                self.end(index, |exit| exit != Exit::Error);
            }
            Entry::Aborted { .. } => self.take_back(index),
            Entry::Waiting { .. } | Entry::Expanded { .. } | Entry::Reopened { .. } => {}
        }
        Ok(())
    }

    fn start(&mut self, index: u32) {
        if self.runs[index as usize].progress != Progress::InFlight {
            self.runs[index as usize].progress = Progress::InFlight;
            self.in_flight += 1;
        }
    }

    fn complete(
        &mut self,
        index: u32,
        output: &Map<String, Value>,
        handle: Option<&str>,
        usage: Option<Usage>,
    ) {
        self.output_bytes += size::of_object(output);
        self.totals.nodes_executed += 1;
        let usage = usage.unwrap_or_default();
        self.totals.tokens += usage.tokens;
        self.totals.cost_micros += usage.cost_micros;
        Arc::make_mut(&mut self.memory).complete(index, output.clone());
        let handles = self.plan.node(index).handles.as_deref().unwrap_or_default();
        let chosen = handle.and_then(|handle| handles.iter().position(|known| known == handle));
        self.end(index, |exit| match exit {
            Exit::Any => true,
            Exit::Error => false,
            Exit::Handle(place) => chosen == Some(place as usize),
        });
    }

    fn fail(&mut self, index: u32, error: &NodeError, attempts: u32, then: AfterFailure) {
        if then == AfterFailure::Fail {
            self.land(index);
            self.runs[index as usize].progress = Progress::Failed;
            self.failed.push(index);
            let id = &self.plan.node(index).id;
            self.failure.get_or_insert_with(|| ExecutionError {
                code: error.code.clone(),
                message: error.message.clone(),
                node_id: Some(id.clone()),
                path: Some(id.clone()),
            });
            return;
        }
        Arc::make_mut(&mut self.memory).fail(index, error.clone(), attempts);
        let routed = then == AfterFailure::Route;
        self.end(index, |exit| match exit {
            Exit::Error => routed,
            Exit::Any => !routed,
            Exit::Handle(_) => false,
        });
    }

    /// The node run is over, and so is the waiting of its edges.
    fn end(&mut self, index: u32, is_live: impl Fn(Exit) -> bool) {
        self.land(index);
        self.runs[index as usize].progress = Progress::Ended;
        self.open -= 1;
        let plan = Arc::clone(&self.plan);
        for PlanEdge { target, exit } in &plan.edges[plan.node(index).outgoing.clone()] {
            let run = &mut self.runs[*target as usize];
            run.unresolved -= 1;
            run.live += u32::from(is_live(*exit));
            if run.unresolved == 0 {
                self.make_ready(*target);
            }
        }
    }

    /// The effect, if it was one in flight, is not any more.
    fn land(&mut self, index: u32) {
        if self.runs[index as usize].progress == Progress::InFlight {
            self.in_flight -= 1;
        }
    }

    /// Back to where the node run was before its attempt began.
    pub(super) fn take_back(&mut self, index: u32) {
        self.land(index);
        if self.runs[index as usize].unresolved == 0 {
            self.make_ready(index);
        }
    }

    pub(super) fn make_ready(&mut self, index: u32) {
        let node = self.plan.node(index);
        let run = &mut self.runs[index as usize];
        run.progress = Progress::Ready;
        let runs_effect = matches!(node.behaviour, Behaviour::Effect(_)) && run.live > 0 && !node.disabled;
        self.ready.add(index, runs_effect);
    }

    pub(super) fn wake(&mut self, now: i64) {
        while let Some(index) = self.ready.take_due(now) {
            if matches!(self.runs[index as usize].progress, Progress::Backoff { until } if until <= now) {
                self.make_ready(index);
            }
        }
    }

    /// Lets the nodes that failed the execution run again, with their attempts counted from the beginning.
    pub(super) fn reopen(&mut self) {
        self.failure = None;
        self.operator_retries += 1;
        for index in std::mem::take(&mut self.failed) {
            self.runs[index as usize].attempts = 0;
            self.make_ready(index);
        }
    }
}
