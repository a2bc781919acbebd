//! Inline: carries out what needs no effect: messages and timers that came, and nodes that only compute, in rank order.

use std::sync::Arc;

use gristmill_core::journal::{Entry, Output, WaitsFor, check_value};
use serde_json::Value;

use crate::graph::plan::PlanNode;
use crate::run::panics::caught;
use crate::{Behaviour, Inline, Journal, LeaseLost, NodeFailure, PureOutcome, Scope};

use super::Driver;

/// After so many nodes the runtime gets its turn, and commands and the deadline are looked at.
const STRETCH: usize = 128;

/// So many entries are committed together at the most, though nothing asks for a commit: what has been computed stays, and
/// neither memory nor a chunk of the journal grows with the graph.
const CHUNK: usize = 1_024;

impl<J: Journal> Driver<'_, J> {
    pub(super) async fn run_inline(&mut self) -> Result<(), LeaseLost> {
        let mut done = 0;
        while let Some(next) = self.state.next_inline(self.clock.now()) {
            self.carry_out(next);
            self.abort_orphans();
            done += 1;
            if done % STRETCH == 0 {
                if self.pending.len() >= CHUNK {
                    self.commit().await?;
                    // Most likely there are as many again.
                    self.pending.reserve(CHUNK);
                }
                tokio::task::yield_now().await;
                self.obey()?;
                if self.is_late() || self.is_too_large() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, next: Inline) {
        let at = self.clock.now();
        let (run, entry) = match next {
            Inline::Skip(run) => (
                run,
                Entry::Skipped {
                    path: self.state.path(run),
                    at,
                },
            ),
            Inline::Disable(run) => (
                run,
                Entry::Disabled {
                    path: self.state.path(run),
                    at,
                },
            ),
            Inline::Evaluate(run) => (run, self.evaluate(run, at)),
            Inline::Reach(run) => (run, self.reach(run, at)),
            Inline::Expand(run) => (run, self.expand(run, at)),
            Inline::Close(run) => (run, self.close(run, at)),
            Inline::TimeUp(run) => (run, self.time_up(run, at)),
            Inline::Deliver(run, seq) => (run, self.deliver(run, seq, at)),
            Inline::Unknown(run) => {
                let message = "a worker was lost while the node ran, and `atMostOnce` forbids to repeat it";
                let failure = NodeFailure::last("outcome_unknown", message);
                (run, self.failed(run, at, 0, failure, None))
            }
        };
        self.record(run, entry);
    }

    fn evaluate(&self, run: u32, at: i64) -> Entry {
        let result = caught(|| match &self.node_of(run).behaviour {
            Behaviour::Pure(pure) => pure.evaluate(&self.state.scope(run)),
            // The state hands out other nodes by themselves.
            _ => Err(NodeFailure::last("internal", "the node does not only compute")),
        });
        match result {
            Ok(PureOutcome { output, handle }) => self.completed(run, at, output, handle, None),
            Err(failure) => self.failed(run, at, self.since(at), failure, None),
        }
    }

    fn reach(&self, run: u32, at: i64) -> Entry {
        let node = self.node_of(run);
        let wait = caught(|| match &node.behaviour {
            Behaviour::Pause(pause) => pause.reach(&self.state.scope(run), at),
            _ => Err(NodeFailure::last("internal", "the node does not wait")),
        });
        match wait {
            Ok(wait) => {
                // For a node that waits for a time, that time is all that counts.
                let limit = node.rest.timeout.filter(|_| wait.on != WaitsFor::Timer);
                let patience = limit.map(|limit| super::after(at, limit));
                Entry::Waiting {
                    path: self.state.path(run),
                    at,
                    until: [wait.until, patience].into_iter().flatten().min(),
                    on: wait.on,
                }
            }
            Err(failure) => self.failed(run, at, 0, failure, None),
        }
    }

    fn expand(&self, run: u32, at: i64) -> Entry {
        let items = caught(|| self.items(self.node_of(run), &self.state.scope(run)));
        match items {
            Ok(items) => Entry::Expanded {
                path: self.state.path(run),
                at,
                items: Arc::new(items),
            },
            Err(failure) => self.failed(run, at, 0, failure, None),
        }
    }

    fn items(&self, node: &PlanNode, scope: &Scope) -> Result<Vec<Value>, NodeFailure> {
        let Behaviour::Each(each) = &node.behaviour else {
            return Err(NodeFailure::last("internal", "the node has no items"));
        };
        let items = each.items.render(scope)?;
        check_value(&items).map_err(|cause| NodeFailure::not_kept("the array of items", cause))?;
        let Value::Array(items) = items else {
            return Err(NodeFailure::last("no_array", "`items` did not come to an array"));
        };
        let limit = self.options.limits.max_items;
        if items.len() > limit {
            let message = format!(
                "there are {} items; the limit is limits.max_items, {limit}",
                items.len()
            );
            return Err(NodeFailure::last("items_limit", message));
        }
        Ok(items)
    }

    fn close(&self, run: u32, at: i64) -> Entry {
        match self.state.each(run) {
            Some(Ok(output)) => self.completed(run, at, output, None, None),
            Some(Err(failure)) => self.failed(run, at, 0, failure, None),
            None => self.failed(
                run,
                at,
                0,
                NodeFailure::last("internal", "some item has not ended"),
                None,
            ),
        }
    }

    fn time_up(&self, run: u32, at: i64) -> Entry {
        let node = self.node_of(run);
        let (on, since) = match self.state.wait(run) {
            Some((on, since)) => (on.clone(), since),
            None => (WaitsFor::Timer, at),
        };
        let result = match &node.behaviour {
            Behaviour::Pause(pause) => pause.gave_up(&on),
            _ => {
                let limit = node.rest.timeout.unwrap_or_default().as_millis();
                Err(NodeFailure::retry(
                    "timeout",
                    format!("the node took longer than {limit} ms"),
                ))
            }
        };
        match result {
            Ok(output) => self.completed(run, since, output, None, None),
            Err(failure) => self.failed(run, at, millis_since(since, at), failure, None),
        }
    }

    fn deliver(&self, run: u32, seq: i64, at: i64) -> Entry {
        let on = self.state.wait(run).map(|(on, _)| on.clone());
        let since = self.state.wait(run).map_or(at, |(_, since)| since);
        let body = self.state.message(run, seq).cloned().unwrap_or_default();
        let result = match (&self.node_of(run).behaviour, on) {
            (Behaviour::Pause(pause), Some(on)) => Ok(pause.arrived(&on, Some(&body))),
            (_, Some(WaitsFor::Child { execution_id })) => super::children::ended(&execution_id, body),
            _ => Err(NodeFailure::last("internal", "the node waits for no message")),
        };
        match result {
            Ok(output) => self.completed(run, since, output, None, Some(seq)),
            Err(failure) => self.failed(run, at, millis_since(since, at), failure, Some(seq)),
        }
    }

    /// What to journal about a node run that came to an output without an effect: that it completed, or that the output
    /// cannot be kept.
    fn completed(
        &self,
        run: u32,
        since: i64,
        output: impl Into<Output>,
        handle: Option<String>,
        mail: Option<i64>,
    ) -> Entry {
        let (at, output) = (self.clock.now(), output.into());
        let duration_ms = millis_since(since, at);
        match self.within_limits(&output) {
            Ok(()) => Entry::Completed {
                path: self.state.path(run),
                at,
                duration_ms,
                output,
                handle,
                usage: None,
                mail,
            },
            Err(failure) => self.failed(run, at, duration_ms, failure, mail),
        }
    }

    fn since(&self, at: i64) -> u64 {
        millis_since(at, self.clock.now())
    }
}

fn millis_since(then: i64, now: i64) -> u64 {
    u64::try_from(now.saturating_sub(then)).unwrap_or_default()
}
