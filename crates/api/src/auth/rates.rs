//! Rates: how fast each caller may go, so that one that runs wild leaves room for the others.

use std::hash::Hash;
use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use gristmill_core::{ApiKeyId, OrganizationId, UserId};

/// Whoever has a rate: a key, or all tokens of a member together, for those are many and short-lived.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Key(ApiKeyId),
    Member(OrganizationId, UserId),
}

/// The rates of all callers of this process.
pub(crate) struct Rates<K = Caller, C: Clock = DefaultClock>
where
    K: Clone + Hash + Eq,
{
    /// `None` = nobody is limited.
    limiter: Option<RateLimiter<K, HashMapStateStore<K>, C, StateInformationMiddleware>>,
    clock: C,
    quota: Quota,
    checks: AtomicU32,
}

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// What it may send a second for as long as it likes.
    pub(crate) per_second: u32,
    /// What it may send at once after a pause.
    pub(crate) burst: u32,
    /// What it may send at once now.
    remaining: u32,
    /// Until it may send again, if it may not; else until it may send a whole burst.
    wait: Duration,
}

/// How many checks there are between two looks for callers that have been silent for so long that they are like new ones.
const CHECKS_PER_CLEANING: u32 = 4_096;

impl Rates {
    /// `per_second` requests, after a pause `burst` at once; 0 limits nobody.
    pub(crate) fn new(per_second: u32, burst: NonZero<u32>) -> Self {
        Self::with_clock(per_second, burst, DefaultClock::default())
    }
}

impl<K: Clone + Hash + Eq, C: Clock + Clone> Rates<K, C> {
    fn with_clock(per_second: u32, burst: NonZero<u32>, clock: C) -> Self {
        let limit = NonZero::new(per_second);
        let quota = Quota::per_second(limit.unwrap_or(burst)).allow_burst(burst);
        let limiter = limit.map(|_| RateLimiter::hashmap_with_clock(quota, clock.clone()).with_middleware());
        Self {
            limiter,
            clock,
            quota,
            checks: AtomicU32::new(0),
        }
    }

    /// Counts what a request has beyond itself, which was counted before: the other inputs of a batch. Of a batch that is
    /// larger than a burst only so much counts that it uses up a whole one: whoever has been silent for long enough gets any
    /// batch through.
    ///
    /// # Errors
    /// How the caller stands; then none of them counts.
    pub(crate) fn check_more(&self, caller: &K, requests: u32) -> Result<Option<Rate>, Rate> {
        let most = self.quota.burst_size().get() - 1;
        self.check(caller, requests.min(most)).map_err(|refused| Rate {
            // The repeat itself counts, too.
            wait: refused.wait + self.quota.replenish_interval(),
            ..refused
        })
    }

    /// Counts so many requests of a caller's; `None` where nobody has a rate.
    ///
    /// # Errors
    /// How the caller stands, who may not send so many now; then none of them counts.
    pub(crate) fn check(&self, caller: &K, requests: u32) -> Result<Option<Rate>, Rate> {
        let (Some(limiter), Some(requests)) = (&self.limiter, NonZero::new(requests)) else {
            return Ok(None);
        };
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_CLEANING == CHECKS_PER_CLEANING - 1 {
            limiter.retain_recent();
        }
        let burst = self.quota.burst_size();
        match limiter.check_key_n(caller, requests.min(burst)) {
            Ok(Ok(state)) => {
                let remaining = state.remaining_burst_capacity().min(burst.get());
                let missing = burst.get() - remaining;
                Ok(Some(
                    self.rate(remaining, self.quota.replenish_interval() * missing),
                ))
            }
            Ok(Err(not_until)) => Err(self.rate(0, not_until.wait_time_from(self.clock.now()))),
            // More than a burst, which was ruled out.
            Err(_) => Ok(None),
        }
    }

    fn rate(&self, remaining: u32, wait: Duration) -> Rate {
        let interval = self.quota.replenish_interval().as_nanos().max(1);
        Rate {
            per_second: u32::try_from(1_000_000_000 / interval).unwrap_or(u32::MAX),
            burst: self.quota.burst_size().get(),
            remaining,
            wait,
        }
    }
}

impl Rate {
    /// The fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers: a burst is the quota, and what
    /// it takes to earn one from nothing is its window.
    pub(crate) fn headers(&self) -> [(HeaderName, HeaderValue); 2] {
        let window = self.burst.div_ceil(self.per_second.max(1));
        let policy = format!(r#""key";q={};w={window}"#, self.burst);
        let limit = format!(r#""key";r={};t={}"#, self.remaining, seconds(self.wait));
        [("ratelimit-policy", policy), ("ratelimit", limit)].map(|(name, value)| {
            // Digits and a fixed text: there is nothing that a header may not hold.
            let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
            (HeaderName::from_static(name), value)
        })
    }

    /// What `Retry-After` says, in seconds.
    pub(crate) fn retry_after(&self) -> HeaderValue {
        HeaderValue::from(seconds(self.wait).max(1))
    }
}

/// Whole seconds, rounded up: whoever waits for so long has waited for long enough.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rates(per_second: u32, burst: u32) -> (Rates<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let burst = NonZero::new(burst).unwrap();
        (Rates::with_clock(per_second, burst, clock.clone()), clock)
    }

    fn shown(rate: Rate) -> [String; 2] {
        rate.headers()
            .map(|(_, value)| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_caller_has_a_burst_and_then_its_rate() {
        let (rates, clock) = rates(2, 4);
        let first = rates.check(&1, 1).unwrap().unwrap();
        assert_eq!(shown(first), [r#""key";q=4;w=2"#, r#""key";r=3;t=1"#]);
        for _ in 0..3 {
            rates.check(&1, 1).unwrap();
        }
        let refused = rates.check(&1, 1).unwrap_err();
        assert_eq!(shown(refused), [r#""key";q=4;w=2"#, r#""key";r=0;t=1"#]);
        assert_eq!(
            (refused.per_second, refused.retry_after()),
            (2, HeaderValue::from(1))
        );
        rates.check(&2, 1).unwrap();
        clock.advance(Duration::from_millis(500));
        rates.check(&1, 1).unwrap();
        rates.check(&1, 1).unwrap_err();
    }

    #[test]
    fn a_batch_counts_as_its_requests_and_never_more_than_a_burst() {
        let (rates, clock) = rates(10, 100);
        assert_eq!(rates.check(&1, 60).unwrap().unwrap().remaining, 40);
        let refused = rates.check(&1, 60).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(2));
        clock.advance(Duration::from_secs(6));
        assert_eq!(rates.check(&1, 1_000).unwrap().unwrap().remaining, 0);
    }

    #[test]
    fn a_full_bucket_admits_any_batch_and_whoever_waited_as_told_has_one() {
        for burst in [1, 2, 100] {
            let (rates, clock) = rates(1, burst);
            rates.check(&1, 1).unwrap();
            rates.check_more(&1, 999).unwrap();
            clock.advance(Duration::from_secs(1));
            rates.check(&1, 1).unwrap();
            let Err(refused) = rates.check_more(&1, 999) else {
                // There is no more than the request itself.
                assert_eq!(burst, 1);
                continue;
            };
            clock.advance(refused.wait);
            rates.check(&1, 1).unwrap();
            assert_eq!(rates.check_more(&1, 999).unwrap().unwrap().remaining, 0);
        }
    }

    #[test]
    fn callers_that_are_silent_are_forgotten() {
        let (rates, clock) = rates(10, 10);
        for caller in 0..CHECKS_PER_CLEANING - 1 {
            rates.check(&caller, 1).unwrap();
        }
        clock.advance(Duration::from_secs(60));
        rates.check(&0, 1).unwrap();
        assert_eq!(rates.limiter.unwrap().len(), 1);
    }

    #[test]
    fn a_rate_of_zero_limits_nobody() {
        let (rates, _) = rates(0, 1);
        for _ in 0..10 {
            assert_eq!(rates.check(&1, 1), Ok(None));
        }
    }
}
