//! How long to wait before the next attempt: the one place that knows the `backoff` crate. Retries outlive the process,
//! so no object remembers the last interval; it is computed from the number of the attempt that failed.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff;

use crate::RetryPolicy;

/// The wait after `attempt` (the first is 1) failed. What the other side asked for replaces the computed interval; neither
/// is longer than the policy's longest.
pub(crate) fn delay(policy: &RetryPolicy, attempt: u32, asked_for: Option<Duration>) -> Duration {
    asked_for
        .unwrap_or_else(|| jittered(policy, attempt))
        .min(policy.max_interval)
}

fn jittered(policy: &RetryPolicy, attempt: u32) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = policy.initial_interval.as_secs_f64() * policy.multiplier.powi(exponent);
    let interval = grown.min(policy.max_interval.as_secs_f64());
    let mut backoff = ExponentialBackoffBuilder::new()
        .with_max_elapsed_time(None)
        .build();
    backoff.current_interval = Duration::try_from_secs_f64(interval).unwrap_or(policy.max_interval);
    // `None` stands for "give up", which happens only after a longest elapsed time, and there is none.
    backoff.next_backoff().unwrap_or(policy.max_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        max_attempts: 10,
        initial_interval: Duration::from_millis(100),
        multiplier: 2.0,
        max_interval: Duration::from_millis(1_000),
    };

    #[test]
    fn intervals_grow_are_spread_and_stay_within_the_longest() {
        for (attempt, expected) in [
            (1, 100.0),
            (2, 200.0),
            (4, 800.0),
            (5, 1_000.0),
            (u32::MAX, 1_000.0),
        ] {
            for _ in 0..100 {
                let millis = delay(&POLICY, attempt, None).as_secs_f64() * 1_000.0;
                assert!(millis >= expected * 0.5 - 1.0, "{attempt}: {millis}");
                assert!(
                    millis <= f64::min(expected * 1.5 + 1.0, 1_000.0),
                    "{attempt}: {millis}"
                );
            }
        }
        let some: std::collections::HashSet<_> = (0..20).map(|_| delay(&POLICY, 3, None)).collect();
        assert!(some.len() > 1, "no jitter");
    }

    #[test]
    fn rule_13_what_the_other_side_asks_for_replaces_the_interval_up_to_the_longest() {
        assert_eq!(
            delay(&POLICY, 1, Some(Duration::from_millis(700))),
            Duration::from_millis(700)
        );
        assert_eq!(delay(&POLICY, 1, Some(Duration::ZERO)), Duration::ZERO);
        assert_eq!(
            delay(&POLICY, 1, Some(Duration::from_secs(3_600))),
            Duration::from_secs(1)
        );
    }
}
