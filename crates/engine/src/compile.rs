//! Definition in, plan out; or every problem that the definition has.

mod edges;
mod nodes;
mod order;

use std::collections::HashMap;

use gristmill_core::{Definition, Path, Problem};
use serde_json::{Map, Value};

use crate::Registry;
use crate::document::Document;
use crate::plan::{Ancestors, Plan};

use edges::Graph;

/// The most nodes that a definition may have.
pub const MAX_NODES: usize = 10_000;

/// Compiles a definition.
///
/// # Errors
/// Every problem that it has, each with its path.
pub fn compile(definition: &Definition, registry: &Registry) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    compile_known(definition, registry, true, &mut problems).ok_or(problems)
}

/// Reads a definition from JSON and compiles it.
///
/// # Errors
/// Every problem of its shape and of its meaning, each with its path. What only follows from a node that could not be
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
        None => Err(problems),
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
    if definition.nodes.len() > MAX_NODES {
        let message = format!(
            "a workflow has at most {MAX_NODES} nodes, this one has {}",
            definition.nodes.len()
        );
        problems.push(Problem::new(root.key("nodes"), "too_many_nodes", message));
        return None;
    }
    let listed_index = index_ids(definition, problems);
    let mut nodes = nodes::compile(definition, registry, problems);
    if complete {
        nodes::require_trigger(&nodes, problems);
    }
    let graph = Graph::new(definition, &listed_index, &nodes, complete, problems);
    nodes::settle_failures(definition, &mut nodes, &graph, problems);
    let order = order::rank(&graph, definition, problems);
    if !problems.is_empty() {
        return None;
    }
    Some(assemble(
        definition,
        nodes.into_iter().flatten().collect(),
        &graph,
        &order,
    ))
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

fn assemble(definition: &Definition, nodes: Vec<nodes::Draft>, graph: &Graph, order: &[usize]) -> Plan {
    let mut rank_of = vec![0_u32; order.len()];
    for (rank, &place) in order.iter().enumerate() {
        // At most MAX_NODES.
        rank_of[place] = rank as u32;
    }
    let mut predecessors = vec![Vec::new(); order.len()];
    let mut edges = Vec::with_capacity(graph.edge_count());
    let mut drafts: Vec<_> = nodes.into_iter().map(Some).collect();
    let mut ranked = Vec::with_capacity(order.len());
    let mut index_of = HashMap::with_capacity(order.len());
    for (rank, &place) in order.iter().enumerate() {
        let start = edges.len();
        for edge in graph.outgoing(place) {
            let target = rank_of[edge.target];
            predecessors[target as usize].push(rank as u32);
            edges.push(crate::plan::PlanEdge {
                target,
                exit: edge.exit,
            });
        }
        if let Some(draft) = drafts[place].take() {
            index_of.insert(draft.id.clone(), rank as u32);
            ranked.push(draft.into_node(graph.incoming(place), start..edges.len()));
        }
    }
    for list in &mut predecessors {
        // Sources were visited in rank order: parallel edges stand side by side.
        list.dedup();
    }
    Plan {
        nodes: ranked,
        edges,
        index_of,
        ancestors: Ancestors::new(&predecessors),
        variables: Document::new(definition.variables.clone()),
        max_parallel: definition.settings.max_parallel,
        timeout_ms: definition.settings.timeout_ms,
    }
}
