//! The first pass: drafts each node on its own, by its kind, its configuration and the keys common to all kinds.

use gristmill_core::journal::AfterFailure;
use gristmill_core::{Definition, Node, Path, Problem};

use crate::graph::common::Common;
use crate::{Allowance, Behaviour, Compiled, Fields, Registry, RetryPolicy};

/// A node whose edges are not known yet.
pub(super) struct Draft {
    pub id: String,
    pub kind: &'static str,
    pub common: Common,
    pub compiled: Compiled,
    /// What a failure leads to. Which edges leave says more about it than the node itself: see `assemble`.
    pub on_failure: AfterFailure,
}

/// Compiles every node; `None` stands for one whose configuration cannot be used.
pub(super) fn compile(
    definition: &Definition,
    registry: &Registry,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Draft>> {
    let allowance = Allowance::of(registry.limits());
    definition
        .nodes
        .iter()
        .map(|node| compile_node(node, registry, &allowance, problems))
        .collect()
}

/// Where executions begin: at least one trigger that is not switched off, outside of every body.
pub(super) fn require_trigger(
    definition: &Definition,
    drafts: &[Option<Draft>],
    problems: &mut Vec<Problem>,
) {
    let triggers: Vec<_> = drafts
        .iter()
        .zip(&definition.nodes)
        .filter(|(_, node)| node.parent_id.is_none())
        .filter_map(|(draft, _)| draft.as_ref().filter(|draft| draft.compiled.is_trigger))
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

impl Draft {
    /// Whether other nodes may name it as their `parentId`.
    pub(super) fn has_body(&self) -> bool {
        matches!(self.compiled.behaviour, Behaviour::Each(_))
    }
}

fn compile_node(
    node: &Node,
    registry: &Registry,
    allowance: &Allowance,
    problems: &mut Vec<Problem>,
) -> Option<Draft> {
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
    let mut fields = Fields::of_kind(path.clone(), &node.data, problems).with_allowance(allowance.clone());
    let compiled = kind.compile(&mut fields);
    fields.finish();
    let retry = compiled
        .as_ref()
        .map_or(RetryPolicy::once(), |compiled| compiled.retry.clone());
    let behaviour = compiled.as_ref().map(|compiled| &compiled.behaviour);
    let is_patient = matches!(
        behaviour,
        Some(Behaviour::Pause(_) | Behaviour::Child(_) | Behaviour::Each(_))
    );
    let is_each = matches!(behaviour, Some(Behaviour::Each(_)));
    let mut fields = Fields::new(path.clone(), &node.data, problems);
    let common = Common::read(&mut fields, retry, is_patient);
    if is_each && fields.has("retry") {
        let message = "a forEach is not retried; give `retry` to the nodes of its body";
        fields.problem("retry", "not_retried", message);
    }
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
