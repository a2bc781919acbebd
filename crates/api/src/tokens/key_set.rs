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

/// How often unknown keys have the set fetched again.
const UNKNOWN_EVERY: Duration = Duration::from_secs(60);
/// How often, while there are no keys at all.
const NONE_EVERY: Duration = Duration::from_secs(2);
/// How old the set may become: a key that the issuer took back is believed for this long.
const FRESH: Duration = Duration::from_secs(600);

/// A set of keys, and where to get a newer one.
pub(super) struct KeySet {
    fetcher: Fetcher,
    algorithm: Algorithm,
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
            known: RwLock::default(),
            looked: Mutex::new(None),
        })
    }

    /// The key that a token names; a token that names none means the only key there is. `None` when there is no such
    /// key, even after a fresh look, or if the last one is too recent for another.
    pub(super) async fn find(self: &Arc<Self>, kid: Option<&str>) -> Result<Option<DecodingKey>, NoKeys> {
        let known = self.known();
        if let Some(key) = known.find(kid) {
            if known.since.is_some_and(|since| since.elapsed() > FRESH) {
                // Nobody waits for it: until it is there, the old set does.
                let set = Arc::clone(self);
                tokio::spawn(async move { set.look(UNKNOWN_EVERY).await });
            }
            return Ok(Some(key.clone()));
        }
        let pause = if known.since.is_none() {
            NONE_EVERY
        } else {
            UNKNOWN_EVERY
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
