//! Delay: how long to wait before the next attempt.

use std::time::Duration;

use gristmill_core::jittered_pause;

use crate::RetryPolicy;

/// The wait after `attempt` (the first is 1) failed. What the other side asked for replaces the computed interval; neither
/// is longer than the policy's longest.
pub(crate) fn delay(policy: &RetryPolicy, attempt: u32, asked_for: Option<Duration>) -> Duration {
    let computed = || {
        let (initial, longest) = (policy.initial_interval, policy.max_interval);
        if policy.jitter {
            return jittered_pause(initial, policy.multiplier, longest, attempt);
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = initial.as_secs_f64() * policy.multiplier.powi(exponent);
        Duration::try_from_secs_f64(grown).unwrap_or(longest)
    };
    asked_for.unwrap_or_else(computed).min(policy.max_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            initial_interval: Duration::from_millis(100),
            max_interval: Duration::from_millis(1_000),
            ..RetryPolicy::times(10)
        }
    }

    #[test]
    fn rule_13_what_the_other_side_asks_for_replaces_the_interval_up_to_the_longest() {
        assert_eq!(
            delay(&policy(), 1, Some(Duration::from_millis(700))),
            Duration::from_millis(700)
        );
        assert_eq!(delay(&policy(), 1, Some(Duration::ZERO)), Duration::ZERO);
        assert_eq!(
            delay(&policy(), 1, Some(Duration::from_secs(3_600))),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn rule_13_without_jitter_the_intervals_are_exact() {
        let exact = RetryPolicy {
            jitter: false,
            ..policy()
        };
        let waits = [1, 2, 4, 5, 60].map(|attempt| delay(&exact, attempt, None).as_millis());
        assert_eq!(waits, [100, 200, 800, 1_000, 1_000]);
    }
}
