//! Fold: what each journal entry changes.

use std::sync::Arc;

use gristmill_core::journal::{AfterFailure, Entry, NodeError, Output, WaitsFor};

use crate::Behaviour;
use crate::graph::plan::{Exit, PlanEdge};
use crate::language::size;

use super::instances::Failed;
use super::{ForeignEntry, Progress, Queue, State, inbox};

/// What an entry weighs beside its path and what it carries, in bytes of JSON.
const ENTRY_BYTES: usize = 60;

impl State {
    /// Folds in what happened.
    ///
    /// # Errors
    /// When the plan has no such node run; nothing is changed then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), ForeignEntry> {
        match (entry, entry.path()) {
            (Entry::Reopened { at, resume_at }, _) => self.reopen(*at, *resume_at),
            (_, None) => {}
            (_, Some(path)) => {
                let run = self.run_at(path).ok_or_else(|| ForeignEntry {
                    path: path.to_owned(),
                })?;
                self.apply_to(run, entry);
            }
        }
        Ok(())
    }

    /// Folds in what happened to one node run.
    pub(crate) fn apply_to(&mut self, run: u32, entry: &Entry) {
        self.weigh(entry);
        // Whatever became of the attempt, and of its node run since: it is paid for.
        if let Some(usage) = entry.usage() {
            self.totals.add_usage(usage);
        }
        if let Some(seq) = entry.mail() {
            self.inbox.consume(seq);
        }
        if self.runs[run as usize].progress == Progress::Ended {
            return;
        }
        match entry {
            Entry::Started { .. } => self.start(run),
            Entry::Completed { output, handle, .. } => self.complete(run, output.clone(), handle.as_deref()),
            Entry::Waiting { at, until, on, .. } => self.wait_for(run, on.clone(), *at, *until),
            Entry::Expanded { at, items, .. } => {
                let limit = self.plan.node(self.node(run)).rest.timeout;
                let until = limit.map(|limit| at.saturating_add(millis(limit)));
                self.expand(run, Arc::clone(items), until);
            }
            Entry::Retrying {
                attempt, retry_at, ..
            } => {
                self.land(run);
                self.stop_listening(run);
                self.runs[run as usize].attempts = *attempt;
                self.runs[run as usize].progress = Progress::Backoff { until: *retry_at };
                self.set_timer(run);
            }
            Entry::Failed {
                error,
                attempts,
                then,
                ..
            } => self.fail(run, error, *attempts, *then),
            Entry::Skipped { .. } => {
                let (instance, node) = self.place(run);
                Arc::make_mut(&mut self.memory).pass(instance, node, "SKIPPED");
                self.end(run, |_| false);
            }
            Entry::Disabled { .. } => {
                let (instance, node) = self.place(run);
                Arc::make_mut(&mut self.memory).pass(instance, node, "DISABLED");
                self.end(run, |exit| exit != Exit::Error);
            }
            Entry::Aborted { .. } => self.take_back(run),
            Entry::Reopened { .. } => {}
        }
    }

    fn weigh(&mut self, entry: &Entry) {
        let carried = match entry {
            Entry::Completed { output, .. } => {
                let bytes = size::of_members(output.iter());
                self.sizes.output_bytes += bytes;
                bytes
            }
            Entry::Expanded { items, .. } => items.iter().map(size::of_value).sum(),
            Entry::Retrying { error, .. } | Entry::Failed { error, .. } => {
                error.message.len() + size::of_members(error.details.iter())
            }
            _ => 0,
        };
        self.sizes.journal_entries += 1;
        self.sizes.journal_bytes += ENTRY_BYTES + entry.path().map_or(0, str::len) + carried;
    }

    fn start(&mut self, run: u32) {
        if self.runs[run as usize].progress != Progress::InFlight {
            self.runs[run as usize].progress = Progress::InFlight;
            self.in_flight += 1;
        }
    }

    fn complete(&mut self, run: u32, output: Output, handle: Option<&str>) {
        self.totals.add_node();
        let (instance, node) = self.place(run);
        Arc::make_mut(&mut self.memory).complete(instance, node, output);
        let place_of = |handle: &str| {
            let handles = &self.plan.node(node).rest.handles;
            handles.iter().position(|known| known == handle)
        };
        let chosen = handle.and_then(place_of);
        self.end(run, |exit| match exit {
            Exit::Any => true,
            Exit::Error => false,
            Exit::Handle(place) => chosen == Some(place as usize),
        });
    }

    fn wait_for(&mut self, run: u32, on: WaitsFor, since: i64, until: Option<i64>) {
        self.land(run);
        self.runs[run as usize].progress = Progress::Waiting { until };
        self.waits.insert(run, (on, since));
        self.set_timer(run);
        self.listen(run);
    }

    fn fail(&mut self, run: u32, error: &NodeError, attempts: u32, then: AfterFailure) {
        let (instance, node) = self.place(run);
        if then == AfterFailure::Fail {
            self.land(run);
            self.stop_listening(run);
            self.close_items(run);
            self.runs[run as usize].progress = Progress::Failed;
            self.instances[instance as usize].failed.push(run);
            let failed = self
                .passed_on(run)
                .unwrap_or_else(|| Failed::new(error, attempts, self.plan.node_id(node), self.path(run)));
            self.fail_instance(instance, failed);
            return;
        }
        Arc::make_mut(&mut self.memory).fail(instance, node, error, attempts);
        let routed = then == AfterFailure::Route;
        self.end(run, |exit| match exit {
            Exit::Error => routed,
            Exit::Any => !routed,
            Exit::Handle(_) => false,
        });
    }

    /// The failure of an item that fails its `forEach`: the execution tells of the node that failed first.
    fn passed_on(&self, run: u32) -> Option<Failed> {
        match self.each_outcome(run)? {
            super::EachOutcome::Failed(failed) => Some(failed),
            super::EachOutcome::Completed(_) => None,
        }
    }

    /// The node run is over, and so is the waiting of its edges.
    fn end(&mut self, run: u32, is_live: impl Fn(Exit) -> bool) {
        self.land(run);
        self.stop_listening(run);
        if self.expansions.contains_key(&run) {
            self.forget_items(run);
        }
        self.runs[run as usize].progress = Progress::Ended;
        let (instance, node) = self.place(run);
        let plan = Arc::clone(&self.plan);
        for PlanEdge { target, exit } in plan.edges_of(node) {
            // An edge leads to a later node of the same body.
            let target = run + (target - node);
            let reached = &mut self.runs[target as usize];
            reached.unresolved -= 1;
            reached.live += u32::from(is_live(*exit));
            if reached.unresolved == 0 {
                self.make_ready(target);
            }
        }
        self.instances[instance as usize].open -= 1;
        if self.instances[instance as usize].open == 0 {
            self.end_instance(instance);
        }
    }

    /// The effect, if it was one in flight, is not any more.
    fn land(&mut self, run: u32) {
        if self.runs[run as usize].progress == Progress::InFlight {
            self.in_flight -= 1;
        }
    }

    /// Back to where the node run was before its attempt began, unless the attempt must not be repeated.
    pub(super) fn take_back(&mut self, run: u32) {
        if self.runs[run as usize].progress != Progress::InFlight {
            return;
        }
        self.land(run);
        if self.plan.node(self.node(run)).rest.at_most_once {
            self.runs[run as usize].progress = Progress::Unknown;
            self.ask(Queue::Inline, run);
        } else {
            self.make_ready(run);
        }
    }

    pub(super) fn make_ready(&mut self, run: u32) {
        let here = &mut self.runs[run as usize];
        here.progress = Progress::Ready;
        let node = self.plan.node(here.node);
        let queue = match node.behaviour {
            _ if here.live == 0 || node.disabled => Queue::Inline,
            Behaviour::Effect(_) => Queue::Effects,
            Behaviour::Child(_) => Queue::Children,
            Behaviour::Pure(_) | Behaviour::Pause(_) | Behaviour::Each(_) => Queue::Inline,
        };
        self.ask(queue, run);
    }

    /// Lets timers ring that ended at `now` or before.
    pub(super) fn wake(&mut self, now: i64) {
        self.looked_at = self.looked_at.max(now);
        while let Some((until, run)) = self.ready.take_due(now) {
            let progress = self.runs[run as usize].progress;
            if progress.due() != Some(until) {
                continue;
            }
            match progress {
                Progress::Backoff { .. } => self.make_ready(run),
                _ => self.ask(Queue::Inline, run),
            }
        }
    }

    pub(super) fn set_timer(&mut self, run: u32) {
        if let Some(until) = self.runs[run as usize].progress.due() {
            self.ready.wait_until(until, run);
        }
    }

    pub(super) fn listen(&mut self, run: u32) {
        if let Some(name) = self.waits.get(&run).and_then(|(on, _)| inbox::name_of(on)) {
            let turn = self.turn(run);
            self.inbox.wait(name, turn);
        }
    }

    pub(super) fn stop_listening(&mut self, run: u32) {
        if self.waits.is_empty() {
            return;
        }
        if let Some(name) = self.waits.get(&run).and_then(|(on, _)| inbox::name_of(on)) {
            let turn = self.turn(run);
            self.inbox.leave(&name, turn);
        }
    }

    /// Lets an execution that failed go on: what failed runs again, with its attempts counted from the beginning.
    fn reopen(&mut self, at: i64, resume_at: Option<i64>) {
        self.sizes.journal_entries += 1;
        self.sizes.journal_bytes += ENTRY_BYTES;
        self.reopened.times += 1;
        self.reopened.paused_until = resume_at;
        match resume_at {
            Some(_) => self.reopened.by_itself += 1,
            None => {
                self.reopened.by_itself = 0;
                self.reopened.by_operator_at = Some(at);
                self.give_up_attempts();
            }
        }
        self.reopen_instance(0);
    }

    /// What was in flight when the execution was failed for the loss of its worker is over, though nothing says how it ended.
    /// It is the operator who wants it repeated, also where only once was allowed.
    fn give_up_attempts(&mut self) {
        for run in self.in_flight() {
            self.land(run);
            self.runs[run as usize].progress = Progress::Ready;
        }
    }

    fn place(&self, run: u32) -> (u32, u32) {
        let here = &self.runs[run as usize];
        (here.instance, here.node)
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
