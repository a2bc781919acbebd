//! Edges: the edges between nodes, by their places in the list.

use std::collections::HashMap;

use gristmill_core::{Definition, Edge, Problem};

use crate::graph::plan::Exit;

use super::draft::Draft;
use super::parents::Parents;

/// The handle that failures leave from.
const ERROR: &str = "error";

/// How many handles of a node are named.
const MAX_NAMES: usize = 20;

/// Every edge that leads from one known node to another.
pub(super) struct Graph {
    outgoing: Vec<Vec<Link>>,
    incoming: Vec<u32>,
}

/// An edge, seen from its source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub target: usize,
    pub exit: Exit,
}

impl Graph {
    /// Reads the edges; what is wrong with one leaves it out and adds to `problems`.
    pub(super) fn new(
        definition: &Definition,
        index: &HashMap<&str, usize>,
        drafts: &[Option<Draft>],
        parents: &Parents,
        complete: bool,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let count = definition.nodes.len();
        let mut graph = Self {
            outgoing: vec![Vec::new(); count],
            incoming: vec![0; count],
        };
        for edge in &definition.edges {
            let mut find = |id: &str, key: &str| {
                let found = index.get(id).copied();
                // An edge to a node that could not be read is not wrong itself.
                if found.is_none() && complete {
                    let message = format!("there is no node `{id}`");
                    problems.push(Problem::new(edge.path().key(key), "unknown_node", message));
                }
                found
            };
            let source = find(&edge.source, "source");
            let target = find(&edge.target, "target");
            let (Some(source), Some(target)) = (source, target) else {
                continue;
            };
            if parents.of(source) != parents.of(target) {
                let message = format!(
                    "the edge from `{}` to `{}` crosses the border of a body; connect the `forEach` itself",
                    edge.source, edge.target
                );
                problems.push(Problem::new(edge.path(), "crosses_border", message));
                continue;
            }
            let exit = exit(edge, drafts[source].as_ref(), problems);
            graph.outgoing[source].push(Link { target, exit });
            graph.incoming[target] += 1;
        }
        graph
    }

    /// The edges that leave from the node at `place`, in listed order.
    pub(super) fn outgoing(&self, place: usize) -> &[Link] {
        &self.outgoing[place]
    }

    /// How many edges lead to the node at `place`.
    pub(super) fn incoming(&self, place: usize) -> u32 {
        self.incoming[place]
    }

    pub(super) fn edge_count(&self) -> usize {
        self.outgoing.iter().map(Vec::len).sum()
    }

    pub(super) fn has_error_edges(&self, place: usize) -> bool {
        self.outgoing[place].iter().any(|link| link.exit == Exit::Error)
    }
}

fn exit(edge: &Edge, source: Option<&Draft>, problems: &mut Vec<Problem>) -> Exit {
    let Some(handle) = edge.source_handle.as_deref() else {
        return Exit::Any;
    };
    if handle == ERROR {
        return Exit::Error;
    }
    let Some(handles) = source.and_then(|draft| draft.compiled.handles.as_ref()) else {
        return Exit::Any;
    };
    match handles.iter().position(|known| known == handle) {
        Some(place) => u32::try_from(place).map_or(Exit::Any, Exit::Handle),
        None => {
            let mut names: Vec<&str> = handles.iter().take(MAX_NAMES).map(String::as_str).collect();
            if handles.len() > MAX_NAMES {
                names.push("…");
            }
            let message = format!(
                "`{}` has no handle `{handle}`; its handles are {}, {ERROR}",
                edge.source,
                names.join(", ")
            );
            problems.push(Problem::new(
                edge.path().key("sourceHandle"),
                "unknown_handle",
                message,
            ));
            Exit::Any
        }
    }
}
