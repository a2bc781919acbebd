//! The issuer's public keys, which change now and then: a new key is there before the first token that names it, so a
//! token with an unknown key is a reason to look again, and no reason to look often.

mod fetch;
mod parse;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::KeySource;
use fetch::Fetcher;

/// How often the set is fetched.
struct Pace {
    /// Again, for an unknown key.
    unknown: Duration,
    /// While there are no keys at all.
    none: Duration,
    /// How old the set may become: a key that the issuer took back is believed for this long.
    fresh: Duration,
}

const PACE: Pace = Pace {
    unknown: Duration::from_secs(60),
    none: Duration::from_secs(2),
    fresh: Duration::from_secs(600),
};

/// A set of keys, and where to get a newer one.
pub(super) struct KeySet {
    fetcher: Fetcher,
    algorithm: Algorithm,
    pace: Pace,
    known: RwLock<Arc<Known>>,
    /// When the last look began. Whoever looks holds this: one at a time.
    looked: Mutex<Option<Instant>>,
}

/// What the last successful look found. It is kept for as long as later ones fail.
#[derive(Default)]
struct Known {
    keys: Vec<Key>,
    /// `None` = there was none yet.
    since: Option<Instant>,
}

/// A public key and its name.
pub(super) struct Key {
    id: Option<String>,
    key: DecodingKey,
}

/// No key set was ever found; why not is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the keys that tokens are verified with cannot be had from {0}")]
pub(crate) struct NoKeys(String);

impl KeySet {
    pub(super) fn new(source: KeySource, algorithm: Algorithm) -> Result<Self, reqwest::Error> {
        Ok(Self {
            fetcher: Fetcher::new(source)?,
            algorithm,
            pace: PACE,
            known: RwLock::default(),
            looked: Mutex::new(None),
        })
    }

    /// The key that a token names; a token that names none means the only key there is. `None` when there is no such
    /// key, even after a fresh look, or if the last one is too recent for another.
    pub(super) async fn find(self: &Arc<Self>, kid: Option<&str>) -> Result<Option<DecodingKey>, NoKeys> {
        let known = self.known();
        if let Some(key) = known.find(kid) {
            if known.since.is_some_and(|since| since.elapsed() > self.pace.fresh) {
                // Nobody waits for it: until it is there, the old set does.
                let set = Arc::clone(self);
                tokio::spawn(async move { set.look(set.pace.unknown).await });
            }
            return Ok(Some(key.clone()));
        }
        let pause = if known.since.is_none() {
            self.pace.none
        } else {
            self.pace.unknown
        };
        self.look(pause).await;
        let known = self.known();
        if known.since.is_none() {
            return Err(NoKeys(self.fetcher.to_string()));
        }
        Ok(known.find(kid).cloned())
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the set, unless the last look began less than `pause` ago: who waited for somebody else's look takes
    /// what that found.
    async fn look(&self, pause: Duration) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < pause) {
            return;
        }
        *looked = Some(Instant::now());
        let found = self.fetcher.fetch().await;
        match found.and_then(|text| parse::keys(&text, self.algorithm)) {
            Ok(keys) => {
                info!(
                    keys = keys.len(),
                    "the keys of tokens were read from {}", self.fetcher
                );
                let known = Known {
                    keys,
                    since: Some(Instant::now()),
                };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
            }
            Err(error) => warn!(
                error = &*error as &dyn std::error::Error,
                "the keys of tokens cannot be read from {}", self.fetcher
            ),
        }
    }
}

impl Known {
    fn find(&self, kid: Option<&str>) -> Option<&DecodingKey> {
        match (kid, self.keys.as_slice()) {
            (None, [only]) => Some(&only.key),
            (None, _) => None,
            (Some(kid), keys) => keys
                .iter()
                .find(|key| key.id.as_deref() == Some(kid))
                .map(|key| &key.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as SyncMutex;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3_600);

    /// An issuer whose key set can be changed, and who counts how often it was asked for.
    #[derive(Clone, Default)]
    struct Issuer {
        asked: Arc<SyncMutex<usize>>,
        set: Arc<SyncMutex<Option<&'static str>>>,
    }

    impl Issuer {
        /// Serves the keys, and answers with a set that reads them.
        async fn set(&self, pace: Pace) -> Arc<KeySet> {
            rustls::crypto::ring::default_provider().install_default().ok();
            let issuer = self.clone();
            let answer = move || {
                *issuer.asked.lock().unwrap() += 1;
                let set = *issuer.set.lock().unwrap();
                std::future::ready(set.ok_or(StatusCode::INTERNAL_SERVER_ERROR))
            };
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let url = format!("http://{}/keys", listener.local_addr().unwrap());
            let router = Router::new().route("/keys", get(answer));
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
            let mut set = KeySet::new(KeySource::Url(url), Algorithm::RS256).unwrap();
            set.pace = pace;
            Arc::new(set)
        }

        fn publish(&self, set: Option<&'static str>) {
            *self.set.lock().unwrap() = set;
        }

        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }
    }

    const OLD: Option<&str> = Some(r#"{"keys": [{"kty": "RSA", "kid": "old", "n": "AQAB", "e": "AQAB"}]}"#);
    const NEW: Option<&str> = Some(r#"{"keys": [{"kty": "RSA", "kid": "new", "n": "AQAB", "e": "AQAB"}]}"#);

    async fn knows(set: &Arc<KeySet>, kid: &str) -> bool {
        set.find(Some(kid)).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn an_unknown_key_has_the_set_fetched_again_and_a_known_one_does_not() {
        let issuer = Issuer::default();
        issuer.publish(OLD);
        let pace = Pace {
            unknown: Duration::ZERO,
            none: NEVER,
            fresh: NEVER,
        };
        let set = issuer.set(pace).await;
        for _ in 0..3 {
            assert!(knows(&set, "old").await);
        }
        assert_eq!(issuer.asked(), 1);
        issuer.publish(NEW);
        assert!(knows(&set, "new").await);
        assert!(!knows(&set, "old").await);
        assert_eq!(issuer.asked(), 3);
    }

    #[tokio::test]
    async fn unknown_keys_do_not_have_it_fetched_again_and_again() {
        let issuer = Issuer::default();
        issuer.publish(OLD);
        let pace = Pace {
            unknown: NEVER,
            none: NEVER,
            fresh: NEVER,
        };
        let set = issuer.set(pace).await;
        let ids: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        let found = futures_util::future::join_all(ids.iter().map(|id| knows(&set, id))).await;
        assert!(!found.contains(&true));
        assert!(knows(&set, "old").await);
        assert_eq!(issuer.asked(), 1);
    }

    #[tokio::test]
    async fn keys_stay_in_force_while_their_issuer_is_away() {
        let issuer = Issuer::default();
        issuer.publish(OLD);
        let pace = Pace {
            unknown: Duration::ZERO,
            none: NEVER,
            fresh: Duration::ZERO,
        };
        let set = issuer.set(pace).await;
        assert!(knows(&set, "old").await);
        issuer.publish(None);
        assert!(!knows(&set, "new").await);
        assert!(knows(&set, "old").await);
        // What is no key set is no reason to forget the keys either.
        issuer.publish(Some("<html>"));
        assert!(!knows(&set, "new").await);
        assert!(knows(&set, "old").await);
    }

    #[tokio::test]
    async fn an_old_set_is_fetched_again_while_nobody_waits() {
        let issuer = Issuer::default();
        issuer.publish(OLD);
        let pace = Pace {
            unknown: Duration::ZERO,
            none: NEVER,
            fresh: Duration::ZERO,
        };
        let set = issuer.set(pace).await;
        assert!(knows(&set, "old").await);
        issuer.publish(NEW);
        // This one asks with the set that there is, and has it replaced.
        assert!(knows(&set, "old").await);
        let replaced = async {
            while set.known().find(Some("old")).is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), replaced)
            .await
            .expect("the set is replaced");
    }

    #[tokio::test]
    async fn without_any_set_the_keys_cannot_be_had() {
        let issuer = Issuer::default();
        let pace = Pace {
            unknown: NEVER,
            none: Duration::ZERO,
            fresh: NEVER,
        };
        let set = issuer.set(pace).await;
        assert!(set.find(Some("old")).await.is_err());
        issuer.publish(OLD);
        assert!(knows(&set, "old").await);
    }
}
