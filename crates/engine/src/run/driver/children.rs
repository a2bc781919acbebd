//! Children: starts child executions, and reads how they ended.

use gristmill_core::journal::{Entry, WaitsFor, check_members};
use gristmill_core::{ChildEnd, ExecutionId};
use serde_json::{Map, Value};

use crate::run::panics::caught;
use crate::{Behaviour, ChildRequest, Journal, LeaseLost, NodeFailure};

use super::Driver;

/// How many children are started together.
const GROUP: usize = 100;

impl<J: Journal> Driver<'_, J> {
    /// Starts the child of every node run whose turn has come.
    pub(super) async fn start_children(&mut self, now: i64) -> Result<(), LeaseLost> {
        loop {
            let ready = self.state.take_children(now, GROUP);
            if ready.is_empty() {
                return Ok(());
            }
            let mut starting = Vec::with_capacity(ready.len());
            for run in ready {
                match self.request(run) {
                    Ok(request) => starting.push((run, request)),
                    Err(failure) => {
                        let entry = self.failed(run, self.clock.now(), 0, failure, None);
                        self.record(run, entry);
                    }
                }
            }
            self.abort_orphans();
            // A request that could not be made may have failed what others belong to; nothing new starts in that.
            starting.retain(|(run, _)| self.state.may_start(*run));
            if starting.is_empty() {
                continue;
            }
            let (starting, requests): (Vec<_>, Vec<_>) = starting.into_iter().unzip();
            // Everything that the requests were made from stands in the journal first: whoever takes over then makes the same
            // requests, under the same keys, and is answered with the same children.
            self.commit().await?;
            let answers = tokio::select! {
                biased;
                () = self.commands.stopped() => return Err(LeaseLost),
                answers = self.journal.start_children(requests) => answers?,
            };
            for (run, answer) in starting.into_iter().zip(answers) {
                let entry = self.started(run, answer);
                self.record(run, entry);
            }
            self.abort_orphans();
        }
    }

    fn request(&self, run: u32) -> Result<ChildRequest, NodeFailure> {
        let Behaviour::Child(child) = &self.node_of(run).behaviour else {
            return Err(NodeFailure::last("internal", "the node starts no child"));
        };
        let (workflow_id, input) = caught(|| child.request(&self.state.scope(run)))?;
        check_members(&input).map_err(|cause| NodeFailure::not_kept("the child's input", cause))?;
        let path = match self.state.attempt(run) {
            1 => self.state.path(run),
            attempt => format!("{}#{attempt}", self.state.path(run)),
        };
        Ok(ChildRequest {
            key: self.state.key(&path),
            path,
            workflow_id,
            input,
        })
    }

    fn started(&self, run: u32, answer: Result<ExecutionId, NodeFailure>) -> Entry {
        let at = self.clock.now();
        let limit = self.node_of(run).rest.timeout;
        match answer {
            Ok(execution_id) => Entry::Waiting {
                path: self.state.path(run),
                at,
                until: limit.map(|limit| super::after(at, limit)),
                on: WaitsFor::Child { execution_id },
            },
            Err(failure) => self.failed(run, at, 0, failure, None),
        }
    }
}

/// What the message about a child's end means for the node that started it.
pub(super) fn ended(child: &ExecutionId, body: Value) -> Result<Map<String, Value>, NodeFailure> {
    let (code, what, error) = match serde_json::from_value(body) {
        Ok(ChildEnd::Completed { output }) => return Ok(output),
        Ok(ChildEnd::Cancelled) => ("child_cancelled", "was cancelled".to_owned(), None),
        Ok(ChildEnd::Failed { error: Some(error) }) => {
            ("child_failed", format!("failed: {}", error.message), Some(error))
        }
        Ok(ChildEnd::Failed { error: None }) | Err(_) => {
            ("child_failed", "failed: no reason given".to_owned(), None)
        }
    };
    let mut details = Map::from_iter([("executionId".to_owned(), Value::from(child.as_str()))]);
    if let Some(error) = error.and_then(|error| serde_json::to_value(error).ok()) {
        details.insert("error".to_owned(), error);
    }
    Err(NodeFailure::retry(code, format!("the execution {child} {what}")).with_details(details))
}
