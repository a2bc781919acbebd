//! Ready: which node runs are to be looked at next, lowest first. A run that has moved on stays in its queue until it
//! comes up and is then passed over: taking it out earlier would cost a search.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::compile::MAX_NESTING;

/// Where a node run stands among all that are ready: by its node's rank, then by its item, outer items first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    order: u32,
    item: ItemOrder,
    run: u32,
}

/// The numbers of the items around a node run, outermost first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemOrder([u32; MAX_NESTING]);

/// Queues of what is ready, by what it takes to go on.
#[derive(Debug, Default)]
pub(super) struct Ready {
    inline: BinaryHeap<Reverse<Turn>>,
    effects: BinaryHeap<Reverse<Turn>>,
    children: BinaryHeap<Reverse<Turn>>,
    timers: BinaryHeap<Reverse<(i64, u32)>>,
}

/// What it takes to go on with a node run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Inline,
    Effects,
    Children,
}

impl Turn {
    pub(super) fn new(order: u32, item: ItemOrder, run: u32) -> Self {
        Self { order, item, run }
    }

    pub(super) fn run(self) -> u32 {
        self.run
    }
}

impl ItemOrder {
    /// The order of an item within something of this order that stands `depth` deep in items.
    pub(super) fn within(mut self, depth: usize, index: u32) -> Self {
        if let Some(place) = self.0.get_mut(depth) {
            *place = index;
        }
        self
    }
}

impl Ready {
    pub(super) fn add(&mut self, queue: Queue, turn: Turn) {
        self.queue(queue).push(Reverse(turn));
    }

    pub(super) fn wait_until(&mut self, until: i64, run: u32) {
        self.timers.push(Reverse((until, run)));
    }

    /// The first node run of a queue that still `stands`.
    pub(super) fn first(&mut self, queue: Queue, stands: impl Fn(u32) -> bool) -> Option<u32> {
        first(self.queue(queue), |turn| stands(turn.run)).map(Turn::run)
    }

    /// As [`first`](Self::first), and takes it out.
    pub(super) fn take(&mut self, queue: Queue, stands: impl Fn(u32) -> bool) -> Option<u32> {
        let run = self.first(queue, stands)?;
        self.queue(queue).pop();
        Some(run)
    }

    /// The earliest timer that still `stands`.
    pub(super) fn next_due(&mut self, stands: impl Fn(i64, u32) -> bool) -> Option<i64> {
        first(&mut self.timers, |&(until, run)| stands(until, run)).map(|(until, _)| until)
    }

    /// Takes out a timer that ended at `now` or before.
    pub(super) fn take_due(&mut self, now: i64) -> Option<(i64, u32)> {
        let Reverse((until, _)) = self.timers.peek()?;
        if *until > now {
            return None;
        }
        self.timers.pop().map(|Reverse(timer)| timer)
    }

    fn queue(&mut self, queue: Queue) -> &mut BinaryHeap<Reverse<Turn>> {
        match queue {
            Queue::Inline => &mut self.inline,
            Queue::Effects => &mut self.effects,
            Queue::Children => &mut self.children,
        }
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
