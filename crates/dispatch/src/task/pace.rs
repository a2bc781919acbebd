//! Pace: how long a background task pauses between two runs.

use std::time::Duration;

use gristmill_core::jittered_pause;

/// How often a task runs when there is nothing to do and nothing wakes it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    interval: Duration,
    yields: bool,
}

/// A task that yields pauses this many times as long as its last run took.
const RESTS: u32 = 20;

/// The longest pause that comes of it: one run in bad times is no reason to stay away for an hour.
const REST_AT_MOST: Duration = Duration::from_secs(60);

/// The pauses after the first failure and after many.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const LAST_BACKOFF: Duration = Duration::from_secs(30);

impl Pace {
    /// Every `interval`, give or take a quarter: processes that were started together need not run together. After a run
    /// that took long it pauses longer, and after failures in a row longer each time. For what nobody waits for: a
    /// transaction that somebody holds open keeps PostgreSQL from clearing away what was deleted, and then each run reads
    /// through all of it, again and again; figures may come late, but are not to slow down what they count.
    pub const fn yielding(interval: Duration) -> Self {
        Self {
            interval,
            yields: true,
        }
    }

    /// Every `interval`, whatever the last run took or came to. For what has to be there when others come back.
    pub const fn steady(interval: Duration) -> Self {
        Self {
            interval,
            yields: false,
        }
    }

    /// The pause after a run that took `took` and left nothing to do. `random` is between 0 and 1.
    pub(super) fn after(&self, took: Duration, random: f64) -> Duration {
        if !self.yields {
            return self.interval;
        }
        let rest = took.saturating_mul(RESTS).min(REST_AT_MOST);
        self.interval.max(rest).mul_f64(0.75 + random / 2.0)
    }

    /// The pause after so many failures in a row. How long a failed run took says nothing of what a run costs: it may have
    /// waited for a database that is away.
    pub(super) fn after_failure(&self, failures: u32) -> Duration {
        if !self.yields {
            return self.interval;
        }
        let (first, last) = (self.interval.min(FIRST_BACKOFF), self.interval.max(LAST_BACKOFF));
        jittered_pause(first, 2.0, last, failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(2);
    const MIDDLE: f64 = 0.5;

    #[test]
    fn a_dear_run_is_followed_by_a_long_pause_and_a_cheap_one_by_the_interval() {
        let pause = |millis| Pace::yielding(INTERVAL).after(Duration::from_millis(millis), MIDDLE);
        assert_eq!(pause(5), INTERVAL);
        assert_eq!(pause(500), Duration::from_secs(10));
        assert_eq!(pause(600_000), REST_AT_MOST);
        let hourly = Pace::yielding(Duration::from_secs(3_600));
        assert_eq!(hourly.after(REST_AT_MOST, MIDDLE).as_secs(), 3_600);
    }

    #[test]
    fn pauses_are_spread_by_a_quarter_in_both_directions() {
        let pause = |random| Pace::yielding(INTERVAL).after(Duration::ZERO, random);
        assert_eq!((pause(0.0).as_millis(), pause(1.0).as_millis()), (1_500, 2_500));
    }

    #[test]
    fn failures_in_a_row_are_followed_by_longer_pauses_up_to_half_a_minute_or_the_interval() {
        for (interval, failures, seconds) in
            [(2, 1, 2), (2, 3, 8), (2, u32::MAX, 30), (60, 1, 2), (60, 9, 60)]
        {
            let pace = Pace::yielding(Duration::from_secs(interval));
            let pause = pace.after_failure(failures).as_secs_f64();
            // Spread by half.
            let expected = f64::from(seconds);
            assert!(
                pause >= expected * 0.49 && pause <= expected * 1.51,
                "{failures} failures at {interval} s: {pause}"
            );
        }
        let quick = Pace::yielding(Duration::from_millis(10));
        assert!(quick.after_failure(1) <= Duration::from_millis(16));
    }

    #[test]
    fn a_steady_pace_is_the_interval_whatever_happens() {
        let pace = Pace::steady(INTERVAL);
        assert_eq!(pace.after(REST_AT_MOST, 0.0), INTERVAL);
        assert_eq!(pace.after_failure(9), INTERVAL);
    }
}
