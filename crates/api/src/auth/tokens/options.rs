//! The options of tokens: which ones are believed.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Which tokens are believed. Each field is checked against every token.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    /// The one algorithm, and the keys that it verifies with.
    pub keys: TokenKeys,
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must be, or contain.
    pub audience: String,
    /// The claim that holds the organization's id.
    pub organization_claim: String,
    /// How far the clocks of who signs and who verifies may be apart.
    pub leeway: Duration,
}

/// What signatures are verified with.
#[derive(Debug, Clone)]
pub enum TokenKeys {
    /// A secret that the issuer has, too.
    Hs256(SecretString),
    /// RSA keys.
    Rs256(KeySource),
    /// P-256 keys.
    Es256(KeySource),
}

/// Where a set of public keys (JWKS) is.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file; read again when a token names a key that was not in it.
    File(PathBuf),
    /// `https://…`, or `http://` for tests and for what is on this machine.
    Url(String),
}
