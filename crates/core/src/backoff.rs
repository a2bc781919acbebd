//! Backoff: the one place that knows the crate `backoff`, which nobody maintains any more; only its arithmetic is used.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff;

/// The pause after `attempt` (the first is 1) failed: `initial`, grown by `multiplier` with each attempt up to `max`, then
/// spread by half in both directions, so that what failed together does not come back together. It is computed from the
/// attempt alone: pauses outlive the process, so no object remembers the last one.
pub fn jittered_pause(initial: Duration, multiplier: f64, max: Duration, attempt: u32) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = initial.as_secs_f64() * multiplier.powi(exponent);
    let mut backoff = ExponentialBackoffBuilder::new()
        .with_max_elapsed_time(None)
        .build();
    backoff.current_interval = Duration::try_from_secs_f64(grown.min(max.as_secs_f64())).unwrap_or(max);
    // `None` stands for "give up", which happens only after a longest elapsed time, and there is none.
    backoff.next_backoff().unwrap_or(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn pauses_grow_to_the_longest_and_are_spread() {
        let pause =
            |attempt| jittered_pause(Duration::from_millis(100), 2.0, Duration::from_secs(1), attempt);
        for (attempt, expected) in [
            (1, 100.0),
            (2, 200.0),
            (4, 800.0),
            (5, 1_000.0),
            (u32::MAX, 1_000.0),
        ] {
            for _ in 0..100 {
                let millis = pause(attempt).as_secs_f64() * 1_000.0;
                assert!(
                    millis >= expected * 0.5 - 1.0 && millis <= expected * 1.5 + 1.0,
                    "{attempt}: {millis}"
                );
            }
        }
        let some: HashSet<_> = (0..20).map(|_| pause(3)).collect();
        assert!(some.len() > 1, "no jitter");
    }
}
