//! Clock: the database's clock, carried on by this machine's monotonic one: the wall clock of a worker is never believed.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// Database time since one answer of the database.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseClock {
    base_ms: i64,
    since: Instant,
}

impl DatabaseClock {
    /// A clock that shows `now` at this moment. It runs late by what the answer took to arrive.
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self {
            base_ms: now.timestamp_millis(),
            since: Instant::now(),
        }
    }
}

impl gristmill_engine::Clock for DatabaseClock {
    fn now(&self) -> i64 {
        let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base_ms.saturating_add(elapsed)
    }
}
