//! Order: the rank of every node, by Kahn's algorithm, and the cycles when there are some.

use std::collections::VecDeque;

use gristmill_core::{Definition, Path, Problem};

use super::edges::Graph;

/// How many cycles are reported, and how many nodes of one are named.
const MAX_CYCLES: usize = 20;
const MAX_NAMES: usize = 20;

/// The places of the nodes in rank order: nodes without incoming edges as they are listed; then, for each node, the
/// targets whose last open edge came from it.
pub(super) fn rank(graph: &Graph, definition: &Definition, problems: &mut Vec<Problem>) -> Vec<usize> {
    let count = definition.nodes.len();
    let mut open: Vec<u32> = (0..count).map(|place| graph.incoming(place)).collect();
    let mut queue: VecDeque<usize> = (0..count).filter(|&place| open[place] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(place) = queue.pop_front() {
        order.push(place);
        for link in graph.outgoing(place) {
            open[link.target] -= 1;
            if open[link.target] == 0 {
                queue.push_back(link.target);
            }
        }
    }
    if order.len() < count {
        report_cycles(graph, definition, &open, problems);
    }
    order
}

/// Goes through the nodes that Kahn's algorithm could not place, depth first. An edge back to a node on the way to its
/// source closes a cycle. A cycle that begins or ends where a reported one went by is left out.
fn report_cycles(graph: &Graph, definition: &Definition, open: &[u32], problems: &mut Vec<Problem>) {
    let mut seen = vec![false; open.len()];
    let mut reported = vec![false; open.len()];
    // Where a node stands on the way, while it does.
    let mut place_on_way = vec![None; open.len()];
    let mut cycles = 0;
    for start in (0..open.len()).filter(|&place| open[place] > 0) {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        // A node, and how many of its edges have been followed.
        let mut way = vec![(start, 0)];
        place_on_way[start] = Some(0);
        while let Some((place, followed)) = way.last_mut() {
            let place = *place;
            let Some(link) = graph.outgoing(place).get(*followed) else {
                place_on_way[place] = None;
                way.pop();
                continue;
            };
            *followed += 1;
            if let Some(from) = place_on_way[link.target] {
                if !reported[place] && !reported[link.target] && cycles < MAX_CYCLES {
                    let nodes: Vec<_> = way[from..].iter().map(|&(place, _)| place).collect();
                    nodes.iter().for_each(|&place| reported[place] = true);
                    problems.push(cycle(&nodes, definition));
                    cycles += 1;
                }
            } else if !std::mem::replace(&mut seen[link.target], true) {
                place_on_way[link.target] = Some(way.len());
                way.push((link.target, 0));
            }
        }
    }
}

fn cycle(places: &[usize], definition: &Definition) -> Problem {
    let id = |place: usize| definition.nodes[place].id.as_str();
    let mut names: Vec<&str> = places.iter().take(MAX_NAMES).map(|&place| id(place)).collect();
    if places.len() > MAX_NAMES {
        names.push("…");
    }
    names.push(id(places[0]));
    Problem::new(
        Path::root().key("edges"),
        "cycle",
        format!("Workflow contains cycles: {}", names.join(" → ")),
    )
}
