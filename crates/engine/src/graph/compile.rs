//! The compiler: makes a plan of a definition, or names every problem that it has.

mod assemble;
mod draft;
mod edges;
mod order;
mod parents;

use std::collections::HashMap;

use gristmill_core::{Definition, Path, Problem};
use serde_json::{Map, Value};

use crate::graph::plan::Plan;
use crate::{Fields, Registry, RetryPolicy};

use edges::Graph;
use parents::Parents;

/// How deep bodies may be nested whatever the limit says: an item's place among all others is kept in so many numbers.
pub(crate) const MAX_NESTING: usize = 4;

/// How often an execution is run in all when `settings.retry` does not say.
const EXECUTION_ATTEMPTS: u32 = 3;

/// Compiles a definition.
///
/// # Errors
/// Every problem that it has, each with its path; no more than can be told.
pub fn compile(definition: &Definition, registry: &Registry) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    compile_known(definition, registry, true, &mut problems).ok_or_else(|| Problem::told(problems))
}

/// Reads a definition from JSON and compiles it.
///
/// # Errors
/// Every problem of its shape and of its meaning, each with its path; no more than can be told. What only follows from a node that could not be
/// read is left out.
pub fn compile_json(
    document: &Map<String, Value>,
    registry: &Registry,
) -> Result<(Definition, Plan), Vec<Problem>> {
    let mut problems = Vec::new();
    let definition = Definition::from_json(document, &mut problems);
    let listed = document
        .get("nodes")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let readable = matches!(document.get("nodes"), None | Some(Value::Null | Value::Array(_)));
    let complete = readable && listed == definition.nodes.len();
    match compile_known(&definition, registry, complete, &mut problems) {
        Some(plan) => Ok((definition, plan)),
        None => Err(Problem::told(problems)),
    }
}

/// `complete`: whether `definition` has every node that its author listed.
fn compile_known(
    definition: &Definition,
    registry: &Registry,
    complete: bool,
    problems: &mut Vec<Problem>,
) -> Option<Plan> {
    let root = Path::root();
    if definition.nodes.is_empty() && complete {
        problems.push(Problem::new(
            root.key("nodes"),
            "no_nodes",
            "Workflow must have at least one node",
        ));
        return None;
    }
    let limits = registry.limits();
    if definition.nodes.len() > limits.max_nodes {
        let message = format!(
            "this workflow has {} nodes; the limit is limits.max_nodes, {}",
            definition.nodes.len(),
            limits.max_nodes
        );
        problems.push(Problem::new(root.key("nodes"), "too_many_nodes", message));
        return None;
    }
    let listed_index = index_ids(definition, problems);
    let mut nodes = draft::compile(definition, registry, problems);
    if complete {
        draft::require_trigger(definition, &nodes, problems);
    }
    let parents = Parents::read(
        definition,
        &listed_index,
        &nodes,
        limits.max_nesting.min(MAX_NESTING),
        complete,
        problems,
    );
    let graph = Graph::new(definition, &listed_index, &nodes, &parents, complete, problems);
    assemble::settle_failures(definition, &mut nodes, &graph, problems);
    let order = order::rank(&graph, definition, problems);
    let retry = read_retry(definition, problems);
    if !problems.is_empty() {
        return None;
    }
    Some(assemble::assemble(
        definition,
        nodes,
        &graph,
        parents.bodies(&order),
        retry,
    ))
}

/// The retry of the whole execution, when the settings ask for one.
fn read_retry(definition: &Definition, problems: &mut Vec<Problem>) -> Option<RetryPolicy> {
    let retry = definition.settings.retry.as_ref()?;
    let path = Path::root().key("settings").key("retry");
    let mut fields = Fields::new(path, retry, problems);
    let policy = RetryPolicy::times(EXECUTION_ATTEMPTS).read(&mut fields);
    fields.finish();
    Some(policy)
}

/// Each id's place in the list; the first of several.
fn index_ids<'a>(definition: &'a Definition, problems: &mut Vec<Problem>) -> HashMap<&'a str, usize> {
    let mut index = HashMap::with_capacity(definition.nodes.len());
    for (place, node) in definition.nodes.iter().enumerate() {
        if let Some(&first) = index.get(node.id.as_str()) {
            let first: &gristmill_core::Node = &definition.nodes[first];
            let message = format!("the id `{}` is taken by {}", node.id, first.path());
            problems.push(Problem::new(node.path().key("id"), "duplicate_id", message));
        } else {
            index.insert(node.id.as_str(), place);
        }
    }
    index
}
