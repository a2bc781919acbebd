//! How long to wait before the next attempt.

use std::time::Duration;

use gristmill_core::jittered_pause;

use crate::RetryPolicy;

/// The wait after `attempt` (the first is 1) failed. What the other side asked for replaces the computed interval; neither
/// is longer than the policy's longest.
pub(crate) fn delay(policy: &RetryPolicy, attempt: u32, asked_for: Option<Duration>) -> Duration {
    let computed = || {
        jittered_pause(
            policy.initial_interval,
            policy.multiplier,
            policy.max_interval,
            attempt,
        )
    };
    asked_for.unwrap_or_else(computed).min(policy.max_interval)
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
