//! Switches: what a proxy is told to do with its connections.

use std::time::Duration;

/// A way through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Answers,
}

/// All switches of one proxy. What happens once, at a moment, is a number that grows: a connection compares it with the
/// one at its birth.
#[derive(Clone, Copy, Default)]
pub(super) struct Switches {
    /// How often all connections were ended.
    pub(super) ends: u32,
    /// Whether the last of these ends was a reset.
    pub(super) reset: bool,
    pub(super) refuse: bool,
    pub(super) requests: Way,
    pub(super) answers: Way,
    pub(super) delay: Option<Delay>,
    pub(super) limit: Option<Limit>,
}

/// What is special about one direction.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    /// Nothing passes, and nothing is lost.
    pub(super) withhold: bool,
    /// What comes is thrown away.
    pub(super) discard: bool,
    /// How often all connections were closed in this direction.
    pub(super) half_closes: u32,
}

/// How late everything arrives.
#[derive(Clone, Copy)]
pub(super) struct Delay {
    pub(super) least: Duration,
    pub(super) jitter: Duration,
}

/// How much a connection may still carry, both ways together.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// Grows with each limit that is set: a new one counts from zero.
    pub(super) number: u32,
    pub(super) bytes: usize,
}

impl Switches {
    pub(super) fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Requests => &self.requests,
            Direction::Answers => &self.answers,
        }
    }

    pub(super) fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Requests => &mut self.requests,
            Direction::Answers => &mut self.answers,
        }
    }
}

impl Delay {
    /// How late the next piece is.
    pub(super) fn next(&self) -> Duration {
        self.least + self.jitter.mul_f64(fastrand::f64())
    }
}
