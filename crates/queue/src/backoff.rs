//! Backoff: how long to wait before the next attempt to connect.

use std::time::{Duration, Instant};

use gristmill_core::jittered_pause;

const FIRST: Duration = Duration::from_millis(200);

/// Growing, jittered pauses between attempts to get a connection, without an end.
pub(crate) struct Backoff {
    attempt: u32,
    max: Duration,
    connected_at: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(max: Duration) -> Self {
        Self {
            attempt: 0,
            max,
            connected_at: None,
        }
    }

    /// An attempt succeeded.
    pub(crate) fn connected(&mut self) {
        self.connected_at = Some(Instant::now());
    }

    /// The pause before the next attempt. It starts small again only after a connection that lasted: one that is lost
    /// as soon as it is there must not be rebuilt in a hot loop.
    pub(crate) fn pause(&mut self) -> Duration {
        if self
            .connected_at
            .take()
            .is_some_and(|at| at.elapsed() >= self.max)
        {
            self.attempt = 0;
        }
        self.attempt = self.attempt.saturating_add(1);
        jittered_pause(FIRST.min(self.max), 2.0, self.max, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_maximum_and_never_end() {
        let max = Duration::from_secs(2);
        let mut backoff = Backoff::new(max);
        assert!(backoff.pause() <= FIRST.mul_f64(1.5));
        let late: Vec<_> = (0..100).map(|_| backoff.pause()).skip(10).collect();
        assert!(
            late.iter()
                .all(|pause| *pause >= max / 2 && *pause <= max.mul_f64(1.5)),
            "{late:?}"
        );
    }

    #[test]
    fn a_connection_that_is_lost_at_once_does_not_start_them_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        for _ in 0..20 {
            backoff.pause();
        }
        backoff.connected();
        assert!(backoff.pause() > Duration::from_secs(10));
    }
}
