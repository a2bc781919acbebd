//! Ancestors: which nodes lie before which. Asked at every lookup of a name, so it takes constant time.
//!
//! Most nodes have one predecessor. Such nodes form trees that hang from *bases*: nodes with none or several. Within a
//! tree, ancestors are found by comparing intervals of a walk through the tree; beyond it, a base with several
//! predecessors has a row of bits. So a chain or a tree of any size needs no bits at all, and the worst case (every node
//! a join) half a bit per pair of nodes.

/// The ancestors of every node, over any edges. Nodes are ranks: an edge leads from a lower to a higher one.
pub(crate) struct Ancestors {
    places: Vec<Place>,
    bits: Vec<u64>,
}

/// What lies right before a node.
pub(crate) enum Above<'a> {
    Nothing,
    Only(u32),
    /// With the bits of all its ancestors.
    Several(&'a [u64]),
}

#[derive(Clone, Copy)]
struct Place {
    /// The only predecessor, unless the node is a base.
    parent: Option<u32>,
    /// The tree's root, possibly the node itself.
    base: u32,
    /// The node's number in a walk through all trees, and the first one behind its own subtree.
    enter: u32,
    leave: u32,
    /// Where the row of bits begins, for a base with several predecessors.
    row: Option<usize>,
}

impl Ancestors {
    /// From each node's distinct predecessors.
    pub(crate) fn new(predecessors: &[Vec<u32>]) -> Self {
        let mut ancestors = Self {
            places: walk(predecessors),
            bits: Vec::new(),
        };
        for (node, list) in predecessors.iter().enumerate() {
            if list.len() > 1 {
                ancestors.add_row(node, predecessors);
            }
        }
        ancestors
    }

    /// Whether `node` can be reached from `candidate`.
    pub(crate) fn contains(&self, node: u32, candidate: u32) -> bool {
        if candidate >= node {
            return false;
        }
        let place = self.places[node as usize];
        let other = self.places[candidate as usize];
        if other.enter < place.enter && place.leave <= other.leave {
            return true;
        }
        candidate < place.base
            && self.places[place.base as usize]
                .row
                .is_some_and(|row| self.bits[row + candidate as usize / 64] >> (candidate % 64) & 1 == 1)
    }

    /// What lies right before `node`. Whatever is found by going up one by one has a higher rank than all that is left.
    pub(crate) fn above(&self, node: u32) -> Above<'_> {
        let place = self.places[node as usize];
        match (place.parent, place.row) {
            (Some(parent), _) => Above::Only(parent),
            (None, Some(row)) => Above::Several(&self.bits[row..row + (node as usize).div_ceil(64)]),
            (None, None) => Above::Nothing,
        }
    }

    /// Every ancestor of `node`, lowest rank first.
    pub(crate) fn of(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        (0..node).filter(move |&candidate| self.contains(node, candidate))
    }

    fn add_row(&mut self, node: usize, predecessors: &[Vec<u32>]) {
        let start = self.bits.len();
        self.bits.resize(start + node.div_ceil(64), 0);
        let (done, row) = self.bits.split_at_mut(start);
        for &predecessor in &predecessors[node] {
            let mut at = predecessor as usize;
            // A bit that is set already stands for a node whose own ancestors are set too, so every node is met once.
            while row[at / 64] >> (at % 64) & 1 == 0 {
                row[at / 64] |= 1 << (at % 64);
                match (predecessors[at].as_slice(), self.places[at].row) {
                    ([only], _) => at = *only as usize,
                    (_, Some(other)) => {
                        for (word, known) in row.iter_mut().zip(&done[other..other + at.div_ceil(64)]) {
                            *word |= known;
                        }
                    }
                    (_, None) => {}
                }
            }
        }
        self.places[node].row = Some(start);
    }
}

/// Numbers the nodes of all trees so that a subtree is an interval.
fn walk(predecessors: &[Vec<u32>]) -> Vec<Place> {
    let mut sizes = vec![1_u32; predecessors.len()];
    for (node, list) in predecessors.iter().enumerate().rev() {
        if let [parent] = list.as_slice() {
            sizes[*parent as usize] += sizes[node];
        }
    }
    let mut places: Vec<Place> = Vec::with_capacity(predecessors.len());
    // Where the next child of each node begins.
    let mut free = vec![0_u32; predecessors.len()];
    let mut next_tree = 0;
    for (node, list) in predecessors.iter().enumerate() {
        let parent = if let [parent] = list.as_slice() {
            Some(*parent)
        } else {
            None
        };
        let (base, enter) = match parent.map(|parent| parent as usize) {
            Some(parent) => {
                let enter = free[parent];
                free[parent] += sizes[node];
                (places[parent].base, enter)
            }
            None => {
                let enter = next_tree;
                next_tree += sizes[node];
                // Node counts are far below 2^32: the compiler refuses larger definitions.
                (node as u32, enter)
            }
        };
        free[node] = enter + 1;
        places.push(Place {
            parent,
            base,
            enter,
            leave: enter + sizes[node],
            row: None,
        });
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of graphs: equal seeds give equal graphs.
    fn random_graph(seed: u64, nodes: u32, spread: u64) -> Vec<Vec<u32>> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        (0..nodes)
            .map(|node| {
                let count = if node == 0 { 0 } else { next(spread) };
                let mut list: Vec<u32> = (0..count).map(|_| next(u64::from(node)) as u32).collect();
                list.sort_unstable();
                list.dedup();
                list
            })
            .collect()
    }

    #[test]
    fn every_pair_is_answered_as_by_walking_the_edges() {
        for seed in 0..60 {
            let graph = random_graph(seed, 150, 2 + seed % 3);
            let ancestors = Ancestors::new(&graph);
            for node in 0..150_u32 {
                let mut reached = [false; 150];
                let mut stack = graph[node as usize].clone();
                while let Some(at) = stack.pop() {
                    if !std::mem::replace(&mut reached[at as usize], true) {
                        stack.extend(&graph[at as usize]);
                    }
                }
                for candidate in 0..150_u32 {
                    let expected = reached[candidate as usize];
                    assert_eq!(
                        ancestors.contains(node, candidate),
                        expected,
                        "{seed}: {candidate} before {node}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_chain_of_ten_thousand_needs_no_bits_and_a_grid_a_modest_number() {
        let chain: Vec<Vec<u32>> = (0..10_000_u32)
            .map(|node| node.checked_sub(1).into_iter().collect())
            .collect();
        assert!(Ancestors::new(&chain).bits.is_empty());
        let grid: Vec<Vec<u32>> = (0..10_000_u32)
            .map(|node| {
                let left = (node % 100 > 0).then(|| node - 1);
                left.into_iter().chain(node.checked_sub(100)).collect()
            })
            .collect();
        let ancestors = Ancestors::new(&grid);
        assert!(
            ancestors.bits.len() * 8 < 7_000_000,
            "{} bytes",
            ancestors.bits.len() * 8
        );
        assert!(ancestors.contains(9_999, 0) && !ancestors.contains(9_900, 1));
    }
}
