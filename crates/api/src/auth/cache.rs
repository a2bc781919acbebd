//! The key cache: keys and tokens that were looked up a moment ago, so that a producer's thousand submits a second are not
//! as many lookups.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who was found, by the hash of their key or token, each for a short time, and never beyond its own end: a revoked key works
/// that much longer and no more. Unknown keys are not remembered, so that nobody can fill the memory by guessing.
pub(crate) struct KeyCache<P> {
    ttl: Duration,
    found: Mutex<HashMap<String, (Instant, P)>>,
}

/// How many keys are remembered; past that, only what has run out makes room.
const CAPACITY: usize = 10_000;

impl<P: Clone> KeyCache<P> {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            found: Mutex::new(HashMap::new()),
        }
    }

    /// Whose key has this hash, when it was found within the last `ttl` and has not expired since.
    pub(crate) fn get(&self, hash: &str) -> Option<P> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, principal) = found.get(hash)?;
        (Instant::now() < *until).then(|| principal.clone())
    }

    /// Remembers a key that the database has just vouched for, and that works for `lives` from now; `None` = until it is
    /// revoked.
    pub(crate) fn put(&self, hash: String, principal: P, lives: Option<Duration>) {
        let now = Instant::now();
        let until = now + lives.map_or(self.ttl, |lives| lives.min(self.ttl));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= CAPACITY {
            found.retain(|_, (until, _)| now < *until);
        }
        if found.len() < CAPACITY {
            found.insert(hash, (until, principal));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_key_is_trusted_for_its_time_only() {
        let (lasting, instant) = (KeyCache::new(HOUR), KeyCache::new(Duration::ZERO));
        let someone = "someone";
        lasting.put("hash".to_owned(), someone, None);
        lasting.put("long".to_owned(), someone, Some(2 * HOUR));
        lasting.put("over".to_owned(), someone, Some(Duration::ZERO));
        instant.put("hash".to_owned(), someone, Some(HOUR));
        assert_eq!(lasting.get("hash"), Some(someone));
        assert_eq!(lasting.get("long"), Some(someone));
        assert_eq!(lasting.get("over"), None);
        assert_eq!(lasting.get("other"), None);
        assert_eq!(instant.get("hash"), None);
    }

    #[test]
    fn a_full_cache_makes_room_by_forgetting_what_ran_out() {
        let (lasting, instant) = (KeyCache::new(HOUR), KeyCache::new(Duration::ZERO));
        for cache in [&lasting, &instant] {
            for n in 0..=CAPACITY {
                cache.put(n.to_string(), "someone", None);
            }
        }
        assert_eq!(lasting.found.lock().unwrap().len(), CAPACITY);
        assert_eq!(instant.found.lock().unwrap().len(), 1);
    }
}
