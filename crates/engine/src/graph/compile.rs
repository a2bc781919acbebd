//! Definition in, plan out; or every problem that the definition has.

mod draft;
mod edges;
mod order;
mod parents;

use std::collections::HashMap;

use gristmill_core::{Definition, Path, Problem};
use serde_json::{Map, Value};

use crate::graph::plan::{Ancestors, Plan};
use crate::language::document::Document;
use crate::{Fields, Registry, RetryPolicy};

use edges::Graph;
use parents::{Members, Parents, Place};

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
    draft::settle_failures(definition, &mut nodes, &graph, problems);
    let order = order::rank(&graph, definition, problems);
    let retry = read_retry(definition, problems);
    if !problems.is_empty() {
        return None;
    }
    Some(assemble(definition, nodes, &graph, parents.bodies(&order), retry))
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

fn assemble(
    definition: &Definition,
    mut drafts: Vec<Option<draft::Draft>>,
    graph: &Graph,
    (members, places): (Vec<Members>, Vec<Place>),
    retry: Option<RetryPolicy>,
) -> Plan {
    let mut index_at = vec![0_u32; places.len()];
    let order = members.iter().flat_map(|body| &body.nodes);
    for (index, &place) in order.enumerate() {
        // Far below 2^32: the compiler refuses larger definitions.
        index_at[place] = index as u32;
    }
    let mut edges = Vec::with_capacity(graph.edge_count());
    let mut nodes = Vec::with_capacity(places.len());
    let mut index_of = HashMap::with_capacity(places.len());
    let mut bodies = Vec::with_capacity(members.len());
    for body in &members {
        let first = nodes.len() as u32;
        let mut predecessors = vec![Vec::new(); body.nodes.len()];
        for (rank, &place) in body.nodes.iter().enumerate() {
            let start = edges.len() as u32;
            for edge in graph.outgoing(place) {
                let target = index_at[edge.target];
                predecessors[(target - first) as usize].push(rank as u32);
                edges.push(crate::graph::plan::PlanEdge {
                    target,
                    exit: edge.exit,
                });
            }
            if let Some(draft) = drafts[place].take() {
                index_of.insert(draft.id.as_str().into(), nodes.len() as u32);
                nodes.push(draft.into_node(places[place], start..edges.len() as u32));
            }
        }
        for list in &mut predecessors {
            // Sources were visited in rank order: parallel edges stand side by side.
            list.dedup();
        }
        let incoming: Vec<_> = body.nodes.iter().map(|&place| graph.incoming(place)).collect();
        bodies.push(crate::graph::plan::Body {
            nodes: first..nodes.len() as u32,
            first: (first..)
                .zip(&incoming)
                .filter(|(_, edges)| **edges == 0)
                .map(|(node, _)| node)
                .collect(),
            incoming,
            ancestors: Ancestors::new(&predecessors),
        });
    }
    Plan {
        nodes,
        edges,
        bodies,
        index_of,
        variables: Document::new(definition.variables.clone().into()),
        max_parallel: definition.settings.max_parallel,
        timeout_ms: definition.settings.timeout_ms,
        retry,
    }
}
