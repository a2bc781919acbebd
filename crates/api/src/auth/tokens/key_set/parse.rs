//! Parse: a set of keys out of its JSON (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::Key;
use super::fetch::BoxError;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The keys that may verify this algorithm. Others are passed over, whatever they are: issuers keep keys of all kinds in
/// one set.
///
/// # Errors
/// When the text is no key set.
pub(super) fn keys(text: &[u8], algorithm: Algorithm) -> Result<Vec<Key>, BoxError> {
    let document: Document = serde_json::from_slice(text)?;
    let jwks = document
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let usable = jwks.filter(|jwk| verifies(jwk, algorithm));
    Ok(usable
        .filter_map(|jwk| {
            Some(Key {
                key: DecodingKey::from_jwk(&jwk).ok()?,
                id: jwk.common.key_id,
            })
        })
        .collect())
}

fn verifies(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let (kind, named) = match (&jwk.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => (true, KeyAlgorithm::RS256),
        (AlgorithmParameters::EllipticCurve(parameters), Algorithm::ES256) => {
            (parameters.curve == EllipticCurve::P256, KeyAlgorithm::ES256)
        }
        _ => return false,
    };
    let signs = matches!(&jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    kind && signs
        && jwk
            .common
            .key_algorithm
            .is_none_or(|algorithm| algorithm == named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_may_verify_the_algorithm_are_taken() {
        let set = br#"{"keys": [
            {"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "kid": "c", "n": "AQAB", "e": "AQAB", "alg": "RS512"},
            {"kty": "RSA", "kid": "d", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"},
            {"kty": "EC", "kid": "e", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
            {"kty": "EC", "kid": "f", "crv": "P-384", "x": "AQAB", "y": "AQAB"},
            {"kty": "oct", "kid": "g", "k": "AQAB"},
            {"kty": "AKP", "kid": "h"},
            7
        ]}"#;
        let ids = |algorithm| {
            let keys = keys(set, algorithm).unwrap();
            keys.into_iter().filter_map(|key| key.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Algorithm::RS256), ["a", "d"]);
        assert_eq!(ids(Algorithm::ES256), ["e"]);
        assert!(keys(b"[]", Algorithm::RS256).is_err());
    }
}
