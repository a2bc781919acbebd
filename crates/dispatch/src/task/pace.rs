//! How often background tasks look when looking has become dear.

use std::time::Duration;

/// A task that nobody waits for sleeps this many times as long as its last look took.
const RESTS: u32 = 20;

/// The pause after a look that took `took`: `interval`, or longer. A transaction that somebody holds open keeps PostgreSQL
/// from clearing away what was deleted, and then each look reads through all of it, again and again: figures may come late,
/// but are not to slow down what they count.
pub(crate) fn paced(interval: Duration, took: Duration) -> Duration {
    interval.max(took * RESTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dear_look_is_followed_by_a_long_pause_and_a_cheap_one_by_the_interval() {
        let interval = Duration::from_secs(2);
        assert_eq!(paced(interval, Duration::from_millis(5)), interval);
        assert_eq!(
            paced(interval, Duration::from_millis(500)),
            Duration::from_secs(10)
        );
    }
}
