//! Each node on its own: its kind, its configuration and the keys common to all kinds.

use std::ops::Range;

use gristmill_core::journal::AfterFailure;
use gristmill_core::{Definition, Node, Path, Problem};

use crate::common::{Common, OnError};
use crate::plan::{Merge, PlanNode};
use crate::{Compiled, Fields, Registry, RetryPolicy};

use super::edges::Graph;

/// A node whose edges are not known yet.
pub(super) struct Draft {
    pub id: String,
    kind: &'static str,
    common: Common,
    pub compiled: Compiled,
    on_failure: AfterFailure,
}

/// Compiles every node; `None` stands for one whose configuration cannot be used.
pub(super) fn compile(
    definition: &Definition,
    registry: &Registry,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Draft>> {
    definition
        .nodes
        .iter()
        .map(|node| compile_node(node, registry, problems))
        .collect()
}

/// Where executions begin: at least one trigger that is not switched off.
pub(super) fn require_trigger(drafts: &[Option<Draft>], problems: &mut Vec<Problem>) {
    let triggers: Vec<_> = drafts
        .iter()
        .flatten()
        .filter(|draft| draft.compiled.is_trigger)
        .collect();
    let message = if triggers.is_empty() {
        "Workflow must have a trigger node"
    } else if triggers.iter().all(|trigger| trigger.common.disabled) {
        "Workflow must have a trigger node that is not disabled"
    } else {
        return;
    };
    problems.push(Problem::new(Path::root().key("nodes"), "no_trigger", message));
}

/// What each node's failure leads to, which depends on its edges.
pub(super) fn settle_failures(
    definition: &Definition,
    drafts: &mut [Option<Draft>],
    graph: &Graph,
    problems: &mut Vec<Problem>,
) {
    for (place, draft) in drafts.iter_mut().enumerate() {
        let Some(draft) = draft else { continue };
        let message = match (draft.common.on_error, graph.has_error_edges(place)) {
            (Some(OnError::Route) | None, true) => {
                draft.on_failure = AfterFailure::Route;
                continue;
            }
            (Some(OnError::Continue), false) => {
                draft.on_failure = AfterFailure::Continue;
                continue;
            }
            (Some(OnError::Fail) | None, false) => continue,
            (Some(OnError::Fail | OnError::Continue), true) => {
                "`onError` contradicts the edges that leave from the handle `error`: those mean `route`"
            }
            (Some(OnError::Route), false) => {
                "`onError` is `route`, and no edge leaves from the handle `error`"
            }
        };
        let path = definition.nodes[place].path().key("data").key("onError");
        problems.push(Problem::new(path, "contradiction", message));
    }
}

impl Draft {
    pub(super) fn into_node(self, incoming: u32, outgoing: Range<usize>) -> PlanNode {
        PlanNode {
            id: self.id,
            kind: self.kind,
            behaviour: self.compiled.behaviour,
            handles: self.compiled.handles,
            is_trigger: self.compiled.is_trigger,
            disabled: self.common.disabled,
            merge: match self.common.output {
                _ if !self.compiled.merges => Merge::Never,
                None => Merge::Keys,
                Some(key) => Merge::Under(key),
            },
            retry: self.common.retry,
            timeout: self.common.timeout.unwrap_or(self.compiled.timeout),
            on_failure: self.on_failure,
            incoming,
            outgoing,
        }
    }
}

fn compile_node(node: &Node, registry: &Registry, problems: &mut Vec<Problem>) -> Option<Draft> {
    if let Some(parent) = &node.parent_id {
        let message = format!("`{parent}` is no node that has a body");
        problems.push(Problem::new(
            node.path().key("parentId"),
            "unknown_parent",
            message,
        ));
    }
    let Some(kind) = registry.get(&node.kind) else {
        let message = format!(
            "unknown node type `{}`; the types are {}",
            node.kind,
            registry.names().join(", ")
        );
        problems.push(Problem::new(node.path().key("type"), "unknown_kind", message));
        return None;
    };
    let path = node.path().key("data");
    let mut fields = Fields::of_kind(path.clone(), &node.data, problems);
    let compiled = kind.compile(&mut fields);
    fields.finish();
    let retry = compiled
        .as_ref()
        .map_or(RetryPolicy::once(), |compiled| compiled.retry);
    let common = Common::read(&mut Fields::new(path.clone(), &node.data, problems), retry);
    let compiled = compiled?;
    if common.disabled && !compiled.may_be_disabled {
        let message = format!(
            "a {} cannot be disabled: nothing says which way to go",
            kind.name()
        );
        problems.push(Problem::new(path.key("disabled"), "cannot_be_disabled", message));
    }
    Some(Draft {
        id: node.id.clone(),
        kind: kind.name(),
        common,
        compiled,
        on_failure: AfterFailure::Fail,
    })
}
