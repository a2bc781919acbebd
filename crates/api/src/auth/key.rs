//! API keys: `gm_` and 64 hex digits. Only the hash is stored; the key itself is shown once, to its owner.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What every key begins with, so that a leaked one is recognized in a log or a repository.
const PREFIX: &str = "gm_";

/// How many hex digits follow: two random UUIDs, 244 random bits.
const DIGITS: usize = 64;

/// How much of a key is kept readable, so that people can tell their keys apart.
const SHOWN: usize = PREFIX.len() + 8;

/// A key in full.
#[derive(Clone)]
pub struct ApiKey {
    /// The secret: shown to its owner once, never stored or logged.
    pub key: String,
    /// Its first characters, to be shown in lists.
    pub prefix: String,
    /// SHA-256 of the key as hex: what the store keeps.
    pub hash: String,
}

impl ApiKey {
    /// Makes a key.
    pub fn generate() -> Self {
        let key = format!("{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self {
            prefix: key[..SHOWN].to_owned(),
            hash: sha256_hex(key.as_bytes()),
            key,
        }
    }

    /// A key that was made earlier; `None` when the text cannot be one.
    pub fn from_text(key: String) -> Option<Self> {
        let hash = hash_of(&key)?;
        Some(Self {
            prefix: key[..SHOWN].to_owned(),
            hash,
            key,
        })
    }
}

/// Whether the text begins as a key does, rather than as a token.
pub(crate) fn is_key(presented: &str) -> bool {
    presented.starts_with(PREFIX)
}

/// The hash under which a presented key is stored, or `None` when it cannot be a key at all.
pub(crate) fn hash_of(presented: &str) -> Option<String> {
    let digits = presented.strip_prefix(PREFIX)?;
    let well_formed = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The key is random and long: a plain hash cannot be searched, and needs no salt.
    well_formed.then(|| sha256_hex(presented.as_bytes()))
}

/// SHA-256 as lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::with_capacity(2 * digest.len()), |mut hex, byte| {
            // Writing to a string does not fail.
            write!(hex, "{byte:02x}").ok();
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_hash() {
        let made = ApiKey::generate();
        assert_eq!(hash_of(&made.key).unwrap(), made.hash);
        assert!(made.key.starts_with(&made.prefix));
        assert_ne!(made.key, ApiKey::generate().key);
    }

    #[test]
    fn what_cannot_be_a_key_is_not_looked_up() {
        let key = ApiKey::generate().key;
        for text in [
            "",
            "gm_",
            "gm_abc",
            &key[3..],
            &format!("{key}0"),
            &key.replace("gm_", "sk_"),
        ] {
            assert_eq!(hash_of(text), None, "{text}");
        }
    }

    #[test]
    fn the_hash_is_plain_sha_256() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
