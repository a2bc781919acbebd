//! Which nodes are to be looked at next, lowest rank first. A node that has moved on stays in its queue until it comes up
//! and is then passed over: taking it out earlier would cost a search.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Debug, Default)]
pub(super) struct Ready {
    inline: BinaryHeap<Reverse<u32>>,
    effects: BinaryHeap<Reverse<u32>>,
    backoffs: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Ready {
    pub(super) fn add(&mut self, index: u32, runs_effect: bool) {
        let queue = if runs_effect {
            &mut self.effects
        } else {
            &mut self.inline
        };
        queue.push(Reverse(index));
    }

    pub(super) fn wait_until(&mut self, until: i64, index: u32) {
        self.backoffs.push(Reverse((until, index)));
    }

    /// The lowest node that runs no effect and still `stands`.
    pub(super) fn first_inline(&mut self, stands: impl Fn(u32) -> bool) -> Option<u32> {
        first(&mut self.inline, |&index| stands(index))
    }

    /// The lowest node that runs an effect and still `stands`.
    pub(super) fn first_effect(&mut self, stands: impl Fn(u32) -> bool) -> Option<u32> {
        first(&mut self.effects, |&index| stands(index))
    }

    /// The end of the earliest backoff that still `stands`.
    pub(super) fn next_due(&mut self, stands: impl Fn(i64, u32) -> bool) -> Option<i64> {
        first(&mut self.backoffs, |&(until, index)| stands(until, index)).map(|(until, _)| until)
    }

    /// Takes out a backoff that ended at `now` or before.
    pub(super) fn take_due(&mut self, now: i64) -> Option<u32> {
        let Reverse((until, _)) = self.backoffs.peek()?;
        if *until > now {
            return None;
        }
        self.backoffs.pop().map(|Reverse((_, index))| index)
    }
}

fn first<T: Ord + Copy>(queue: &mut BinaryHeap<Reverse<T>>, stands: impl Fn(&T) -> bool) -> Option<T> {
    while let Some(Reverse(item)) = queue.peek() {
        if stands(item) {
            return Some(*item);
        }
        queue.pop();
    }
    None
}
