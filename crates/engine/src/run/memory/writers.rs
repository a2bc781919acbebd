//! Writers: the nodes of one body that wrote one key.

use crate::graph::plan::{Above, Ancestors};

/// From so many on they are kept as bits as well.
const MANY: usize = 64;

/// Nodes, lowest rank first. There is one of these for each key of a large execution, so it is small.
#[derive(Debug, Clone)]
pub(super) struct Writers {
    /// The lowest; most keys have no other.
    first: u32,
    others: Option<Box<Others>>,
}

#[derive(Debug, Clone, Default)]
struct Others {
    list: Vec<u32>,
    /// All the key's writers, once they are many: one row of bits is compared with another much sooner than nodes one by
    /// one.
    bits: Vec<u64>,
}

impl Writers {
    pub(super) fn one(node: u32) -> Self {
        Self {
            first: node,
            others: None,
        }
    }

    /// The lowest.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The highest.
    pub(super) fn last(&self) -> u32 {
        let others = self.others.as_ref();
        others
            .and_then(|others| others.list.last().copied())
            .unwrap_or(self.first)
    }

    pub(super) fn add(&mut self, node: u32) {
        // Effects may end in any order; nearly always the new one belongs at the end.
        let higher = node.max(self.first);
        self.first = node.min(self.first);
        let others = self.others.get_or_insert_default();
        let place = count_below(&others.list, higher);
        others.list.insert(place, higher);
        if others.list.len() == MANY {
            set(&mut others.bits, self.first);
            others
                .list
                .iter()
                .for_each(|&writer| set(&mut others.bits, writer));
        } else if others.list.len() > MANY {
            set(&mut others.bits, node);
        }
    }

    /// The highest of the writers that lies before `node`. `writes` tells whether one node is a writer.
    pub(super) fn nearest(
        &self,
        ancestors: &Ancestors,
        node: u32,
        writes: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        if self.first >= node {
            return None;
        }
        let (list, bits) = self
            .others
            .as_ref()
            .map_or((&[][..], &[][..]), |others| (&others.list, &others.bits));
        let below = count_below(list, node);
        let mut at = node;
        // From the writers down and from the node up, in turns: the first is slow among many siblings that write the same
        // key, the second below a long chain that does not write it. Once the way up comes to a join, its ancestors are a row
        // of bits, and whatever is left of the writers is compared with it at once.
        for &writer in list[..below].iter().rev().chain([&self.first]) {
            if ancestors.contains(node, writer) {
                return Some(writer);
            }
            match ancestors.above(at) {
                Above::Only(parent) => at = parent,
                Above::Nothing => return None,
                Above::Several(_) if bits.is_empty() => continue,
                Above::Several(row) => {
                    let words = row.iter().zip(bits).enumerate().rev();
                    return words
                        .map(|(word, (row, bits))| (word, row & bits))
                        .find(|(_, both)| *both != 0)
                        .map(|(word, both)| (word * 64) as u32 + both.ilog2());
                }
            }
            if writes(at) {
                return Some(at);
            }
        }
        None
    }
}

/// How many of the ascending `list` are lower than `node`: nearly always all of them, which is seen without a search.
fn count_below(list: &[u32], node: u32) -> usize {
    match list.last() {
        Some(&last) if last >= node => list.partition_point(|&writer| writer < node),
        _ => list.len(),
    }
}

fn set(bits: &mut Vec<u64>, node: u32) {
    let word = node as usize / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (node % 64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_writer_is_found_however_many_there_are() {
        // Two layers: 0 to 299 without predecessors, 300 to 599 with two of them each, then a chain.
        let mut graph: Vec<Vec<u32>> = vec![Vec::new(); 300];
        graph.extend((0..300).map(|n: u32| vec![n / 2, n]).map(|mut list| {
            list.dedup();
            list
        }));
        graph.extend((600..700).map(|n: u32| vec![n - 1]));
        let ancestors = Ancestors::new(&graph);
        for step in [1, 3, 7, 290] {
            let written: Vec<u32> = (0..700).filter(|node| node % step == 0).collect();
            let mut writers = Writers::one(written[0]);
            written[1..].iter().for_each(|&node| writers.add(node));
            for node in 0..700_u32 {
                let expected = written
                    .iter()
                    .rev()
                    .copied()
                    .find(|&writer| ancestors.contains(node, writer));
                let found = writers.nearest(&ancestors, node, |at| at % step == 0);
                assert_eq!(found, expected, "{node}, every {step}");
            }
        }
    }
}
