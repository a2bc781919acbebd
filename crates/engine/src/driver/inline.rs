//! Runs the nodes that need no effect, in rank order.

use gristmill_core::journal::Entry;

use crate::panics::caught;
use crate::{Behaviour, Inline, Journal, LeaseLost, NodeFailure, PureOutcome};

use super::Driver;

/// After so many nodes the runtime gets its turn, and commands and the deadline are looked at.
const STRETCH: usize = 128;

impl<J: Journal> Driver<'_, J> {
    pub(super) async fn run_inline(&mut self) -> Result<(), LeaseLost> {
        let mut done = 0;
        while let Some(next) = self.state.next_inline() {
            self.carry_out(next);
            done += 1;
            if done % STRETCH == 0 {
                tokio::task::yield_now().await;
                self.obey()?;
                if self.is_late() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, next: Inline) {
        let at = self.clock.now();
        let path = |index| self.plan.node(index).id.clone();
        let entry = match next {
            Inline::Skip(index) => Entry::Skipped {
                path: path(index),
                at,
            },
            Inline::Disable(index) => Entry::Disabled {
                path: path(index),
                at,
            },
            Inline::Evaluate(index) => self.evaluate(index, at),
        };
        self.record(entry);
    }

    fn evaluate(&self, index: u32, started_at: i64) -> Entry {
        let node = self.plan.node(index);
        let result = match &node.behaviour {
            Behaviour::Pure(pure) => caught(|| pure.evaluate(&self.state.scope(index))),
            // The state hands out effects by themselves.
            Behaviour::Effect(_) => Err(NodeFailure::last("internal", "an effect cannot be evaluated")),
        };
        let at = self.clock.now();
        let duration_ms = u64::try_from(at - started_at).unwrap_or_default();
        match result.and_then(|outcome| self.within_limits(&outcome.output).map(|()| outcome)) {
            Ok(PureOutcome { output, handle }) => Entry::Completed {
                path: node.id.clone(),
                at,
                duration_ms,
                output,
                handle,
                usage: None,
                mail: None,
            },
            Err(failure) => Entry::Failed {
                path: node.id.clone(),
                at,
                duration_ms,
                attempts: 1,
                error: *failure.error,
                then: node.on_failure,
                mail: None,
            },
        }
    }
}
