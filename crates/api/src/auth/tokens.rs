//! JSON Web Tokens: somebody else signs in people, and says so in a signed token. What the token says is who its bearer
//! is and for which organization they act; what they may do is in the database, so that a membership that ends, ends
//! their access.

mod claims;
mod key_set;
mod options;
mod ring_provider;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{OrganizationId, UserId};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use claims::Claims;
use key_set::KeySet;

pub(crate) use key_set::NoKeys;

pub use options::{KeySource, TokenKeys, TokenOptions};

/// Verifies tokens. Clones share their keys.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    algorithm: Algorithm,
    validation: Validation,
    organization_claim: String,
    leeway: Duration,
    keys: Keys,
}

enum Keys {
    Secret(DecodingKey),
    Set(Arc<KeySet>),
}

/// The tokens' options make no sense.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the tokens' keys cannot be built")]
pub struct TokensError(#[source] reqwest::Error);

/// Why a token is not believed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The token is at fault; reads like "it has expired".
    Wrong(String),
    /// The keys to verify it with cannot be had.
    NoKeys(NoKeys),
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) organization: OrganizationId,
    pub(crate) user: UserId,
    /// How long it is still good for.
    pub(crate) expires_in: Duration,
}

impl Tokens {
    /// # Errors
    /// When there can be no HTTP client, for want of TLS.
    pub fn new(options: TokenOptions) -> Result<Self, TokensError> {
        ring_provider::install();
        let (algorithm, keys) = match options.keys {
            TokenKeys::Hs256(secret) => {
                let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
                (Algorithm::HS256, Keys::Secret(key))
            }
            TokenKeys::Rs256(source) => (Algorithm::RS256, set(source, Algorithm::RS256)?),
            TokenKeys::Es256(source) => (Algorithm::ES256, set(source, Algorithm::ES256)?),
        };
        // The one algorithm: a token does not choose how it is verified.
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[options.issuer]);
        validation.set_audience(&[options.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = options.leeway.as_secs();
        Ok(Self(Arc::new(Inner {
            algorithm,
            validation,
            organization_claim: options.organization_claim,
            leeway: options.leeway,
            keys,
        })))
    }

    /// Whose the token is, once its signature, issuer, audience and times are checked.
    pub(crate) async fn verify(&self, token: &str) -> Result<Bearer, Refusal> {
        let inner = &*self.0;
        let header = decode_header(token).map_err(|error| wrong(&error))?;
        if header.alg != inner.algorithm {
            return Err(Refusal::Wrong(format!(
                "its algorithm is not {:?}",
                inner.algorithm
            )));
        }
        // Extensions that a verifier must understand, and this one understands none (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::Wrong("it has critical extensions".to_owned()));
        }
        let found;
        let key = match &inner.keys {
            Keys::Secret(key) => key,
            Keys::Set(set) => {
                let kid = header.kid.as_deref();
                let Some(key) = set.find(kid).await.map_err(Refusal::NoKeys)? else {
                    return Err(Refusal::Wrong(
                        "it was signed with a key that nobody knows".to_owned(),
                    ));
                };
                found = key;
                &found
            }
        };
        let decoded =
            decode::<Map<String, Value>>(token, key, &inner.validation).map_err(|error| wrong(&error))?;
        Claims(&decoded.claims)
            .bearer(&inner.organization_claim, inner.leeway)
            .map_err(Refusal::Wrong)
    }
}

/// Options are printed, keys are not.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("algorithm", &self.0.algorithm)
            .finish_non_exhaustive()
    }
}

fn set(source: KeySource, algorithm: Algorithm) -> Result<Keys, TokensError> {
    Ok(Keys::Set(Arc::new(
        KeySet::new(source, algorithm).map_err(TokensError)?,
    )))
}

fn wrong(error: &jsonwebtoken::errors::Error) -> Refusal {
    let why = match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "it has another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::MissingRequiredClaim(claim) => return Refusal::Wrong(format!("it has no `{claim}`")),
        ErrorKind::InvalidClaimFormat(claim) => {
            return Refusal::Wrong(format!("its `{claim}` cannot be read"));
        }
        _ => "it cannot be read",
    };
    Refusal::Wrong(why.to_owned())
}
