//! The parents: which node belongs to the body of which `forEach`.

use std::collections::HashMap;

use gristmill_core::{Definition, Problem};

use super::draft::Draft;

/// Each node's parent, by places in the list; `None` for what belongs to the whole workflow.
pub(super) struct Parents(Vec<Option<usize>>);

/// Where a node stands in the plan.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub order: u32,
    pub own_body: Option<u32>,
}

/// The nodes of a body, by their places in the list.
pub(super) struct Members {
    /// In rank order.
    pub nodes: Vec<usize>,
}

impl Parents {
    /// Reads every `parentId`; what is wrong with one leaves it out and adds to `problems`.
    pub(super) fn read(
        definition: &Definition,
        index: &HashMap<&str, usize>,
        drafts: &[Option<Draft>],
        max_nesting: usize,
        complete: bool,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut parents = vec![None; definition.nodes.len()];
        let mut has_body = vec![false; definition.nodes.len()];
        for (place, node) in definition.nodes.iter().enumerate() {
            let Some(id) = &node.parent_id else { continue };
            let mut refuse = |code, message: String| {
                problems.push(Problem::new(node.path().key("parentId"), code, message));
            };
            match index.get(id.as_str()) {
                None if complete => refuse("unknown_node", format!("there is no node `{id}`")),
                None => {}
                Some(&parent) => match &drafts[parent] {
                    // A node that could not be read may be meant to have a body.
                    None => {}
                    Some(draft) if draft.has_body() => {
                        parents[place] = Some(parent);
                        has_body[parent] = true;
                    }
                    Some(_) => refuse("unknown_parent", format!("`{id}` is no node that has a body")),
                },
            }
        }
        let mut parents = Self(parents);
        parents.check_depth(definition, max_nesting, problems);
        for (place, draft) in drafts.iter().enumerate() {
            let is_empty = draft.as_ref().is_some_and(Draft::has_body) && !has_body[place];
            if is_empty && complete {
                let node = &definition.nodes[place];
                let message = format!("`{}` has no body: nodes whose `parentId` is its id", node.id);
                problems.push(Problem::new(node.path(), "empty_body", message));
            }
        }
        parents
    }

    /// What the node at `place` belongs to.
    pub(super) fn of(&self, place: usize) -> Option<usize> {
        self.0[place]
    }

    /// Puts the nodes, which come in rank order, into their bodies: the whole workflow first, then bodies in the order of
    /// their `forEach`, outer ones before inner ones.
    pub(super) fn bodies(&self, order: &[usize]) -> (Vec<Members>, Vec<Place>) {
        let count = order.len();
        let mut members: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
        for &place in order {
            members.entry(self.0[place]).or_default().push(place);
        }
        let mut bodies = Vec::new();
        let mut places = vec![Place::default(); count];
        // What is still to be numbered, the next on top: bodies come right behind their `forEach`.
        let mut stack: Vec<usize> = Vec::with_capacity(count);
        let mut open = |parent: Option<usize>, stack: &mut Vec<usize>| {
            let nodes = members.remove(&parent)?;
            let body = bodies.len() as u32;
            stack.extend(nodes.iter().rev());
            bodies.push(Members { nodes });
            Some(body)
        };
        open(None, &mut stack);
        let mut next = 0;
        while let Some(place) = stack.pop() {
            let own_body = open(Some(place), &mut stack);
            places[place] = Place {
                order: next,
                own_body,
            };
            next += 1;
        }
        (bodies, places)
    }

    /// Takes out what is nested too deep, which includes a node that is its own ancestor.
    fn check_depth(&mut self, definition: &Definition, max_nesting: usize, problems: &mut Vec<Problem>) {
        for place in 0..self.0.len() {
            let mut at = place;
            let mut depth = 0;
            while let Some(parent) = self.0[at] {
                at = parent;
                depth += 1;
                if depth > max_nesting {
                    break;
                }
            }
            if depth > max_nesting {
                let message = format!(
                    "the node stands more than {max_nesting} deep in `forEach`, or in itself; the limit is \
                     limits.max_nesting"
                );
                let path = definition.nodes[place].path().key("parentId");
                problems.push(Problem::new(path, "nesting_limit", message));
                self.0[place] = None;
            }
        }
    }
}
