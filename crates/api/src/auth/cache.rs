//! The key cache: keys and tokens that were looked up a moment ago, so that a producer's thousand submits a second are not
//! as many lookups.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::principal::Principal;

/// Principals by the hash of their key or token, each for a short time, and never beyond its own end: a revoked key works
/// that much longer and no more. Unknown keys are not remembered, so that nobody can fill the memory by guessing.
pub(crate) struct KeyCache {
    ttl: Duration,
    found: Mutex<HashMap<String, (Instant, Principal)>>,
}

/// How many keys are remembered; past that, only what has run out makes room.
const CAPACITY: usize = 10_000;

impl KeyCache {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            found: Mutex::new(HashMap::new()),
        }
    }

    /// Whose key has this hash, when it was found within the last `ttl` and has not expired since.
    pub(crate) fn get(&self, hash: &str) -> Option<Principal> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, principal) = found.get(hash)?;
        (Instant::now() < *until).then(|| principal.clone())
    }

    /// Remembers a key that the database has just vouched for, and that works for `lives` from now; `None` = until it is
    /// revoked.
    pub(crate) fn put(&self, hash: String, principal: Principal, lives: Option<Duration>) {
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
    use crate::http::layers::RequestId;
    use gristmill_core::access::{GlobalRole, Scopes, Standing, Tier};
    use gristmill_core::{ApiKeyId, OrganizationId, UserId};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn principal() -> Principal {
        Principal {
            organization: OrganizationId::new(),
            user: UserId::new(),
            key: Some(ApiKeyId::new()),
            standing: Standing {
                global_role: GlobalRole::User,
                organization_role: None,
                tier: Tier::Free,
            },
            scopes: Scopes::ALL,
            expires_at: None,
            good_until: None,
            request: RequestId::default(),
        }
    }

    #[test]
    fn a_key_is_trusted_for_its_time_only() {
        let (lasting, instant) = (KeyCache::new(HOUR), KeyCache::new(Duration::ZERO));
        let someone = principal();
        lasting.put("hash".to_owned(), someone.clone(), None);
        lasting.put("long".to_owned(), someone.clone(), Some(2 * HOUR));
        lasting.put("over".to_owned(), someone.clone(), Some(Duration::ZERO));
        instant.put("hash".to_owned(), someone.clone(), Some(HOUR));
        assert_eq!(lasting.get("hash"), Some(someone.clone()));
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
                cache.put(n.to_string(), principal(), None);
            }
        }
        assert_eq!(lasting.found.lock().unwrap().len(), CAPACITY);
        assert_eq!(instant.found.lock().unwrap().len(), 1);
    }
}
