//! The last pass: settles what depends on edges, and assembles the plan from drafts, bodies and graph.

use std::collections::HashMap;
use std::ops::Range;

use gristmill_core::journal::AfterFailure;
use gristmill_core::{Definition, Problem};

use crate::RetryPolicy;
use crate::graph::common::OnError;
use crate::graph::plan::{Ancestors, Body, Merge, Plan, PlanEdge, PlanNode, Rest};
use crate::language::document::Document;

use super::draft::Draft;
use super::edges::Graph;
use super::parents::{Members, Place};

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

/// Puts the plan together, the nodes of a body side by side in rank order.
pub(super) fn assemble(
    definition: &Definition,
    mut drafts: Vec<Option<Draft>>,
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
                edges.push(PlanEdge {
                    target,
                    exit: edge.exit,
                });
            }
            if let Some(draft) = drafts[place].take() {
                index_of.insert(draft.id.as_str().into(), nodes.len() as u32);
                nodes.push(node(draft, places[place], start..edges.len() as u32));
            }
        }
        for list in &mut predecessors {
            // Sources were visited in rank order: parallel edges stand side by side.
            list.dedup();
        }
        let incoming: Vec<_> = body.nodes.iter().map(|&place| graph.incoming(place)).collect();
        bodies.push(Body {
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

fn node(draft: Draft, place: Place, outgoing: Range<u32>) -> PlanNode {
    PlanNode {
        id: draft.id.into(),
        behaviour: draft.compiled.behaviour,
        is_trigger: draft.compiled.is_trigger,
        disabled: draft.common.disabled,
        merge: match draft.common.output {
            _ if !draft.compiled.merges => Merge::Never,
            None => Merge::Keys,
            Some(key) => Merge::Under(key.into()),
        },
        order: place.order,
        outgoing,
        rest: Box::new(Rest {
            kind: draft.kind,
            handles: draft.compiled.handles.unwrap_or_default(),
            input_schema: draft.compiled.input_schema,
            at_most_once: draft.common.at_most_once,
            retry: draft.common.retry,
            timeout: draft.common.timeout.or(draft.compiled.timeout),
            on_failure: draft.on_failure,
            own_body: place.own_body,
        }),
    }
}
