//! Retry: how often, and how far apart, an effect is attempted.

use std::time::Duration;

use crate::Fields;

/// When a failed attempt is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// How many attempts are made at most; the first counts.
    pub max_attempts: u32,
    /// The wait after the first attempt.
    pub initial_interval: Duration,
    /// What each further wait is multiplied with.
    pub multiplier: f64,
    /// The longest wait, `Retry-After` included.
    pub max_interval: Duration,
    /// Whether waits are spread, so that what failed together does not come back together.
    pub jitter: bool,
    /// Error codes that are never tried again.
    pub non_retryable: Vec<String>,
}

/// The longest interval that a definition may ask for: a day.
const MAX_INTERVAL_MS: u64 = 24 * 60 * 60 * 1_000;

impl RetryPolicy {
    /// One attempt, no repetition.
    pub const fn once() -> Self {
        Self::times(1)
    }

    /// `max_attempts` attempts, a second apart at first, then twice as far each time up to a minute.
    pub const fn times(max_attempts: u32) -> Self {
        Self {
            max_attempts,
            initial_interval: Duration::from_secs(1),
            multiplier: 2.0,
            max_interval: Duration::from_secs(60),
            jitter: true,
            non_retryable: Vec::new(),
        }
    }

    /// Whether a failure with `code` after so many attempts is followed by another one.
    pub(crate) fn allows_another(&self, attempts: u32, code: &str) -> bool {
        attempts < self.max_attempts && !self.non_retryable.iter().any(|known| known == code)
    }

    /// Reads `{maxAttempts, initialIntervalMs, multiplier, maxIntervalMs, jitter, nonRetryable}`; what is absent comes from
    /// `self`.
    pub(crate) fn read(self, fields: &mut Fields<'_>) -> Self {
        let max_attempts = fields
            .u64("maxAttempts", 1..=100)
            .and_then(|n| u32::try_from(n).ok());
        let initial = fields
            .u64("initialIntervalMs", 1..=MAX_INTERVAL_MS)
            .map(Duration::from_millis);
        let multiplier = fields.number("multiplier", 1.0..=100.0);
        let max = fields
            .u64("maxIntervalMs", 1..=MAX_INTERVAL_MS)
            .map(Duration::from_millis);
        let jitter = fields.bool("jitter");
        let non_retryable = fields.strings("nonRetryable");
        Self {
            max_attempts: max_attempts.unwrap_or(self.max_attempts),
            initial_interval: initial.unwrap_or(self.initial_interval),
            multiplier: multiplier.unwrap_or(self.multiplier),
            max_interval: max.unwrap_or(self.max_interval),
            jitter: jitter.unwrap_or(self.jitter),
            non_retryable: non_retryable.unwrap_or(self.non_retryable),
        }
    }
}
