//! `[auth]`: which JSON Web Tokens are believed.

use std::path::PathBuf;

use gristmill_api::{KeySource, TokenKeys, TokenOptions};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use super::time::Time;

/// As long as the hash that it is used with (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;

/// `[auth]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub algorithm: String,
    pub secret: SecretString,
    pub jwks: String,
    pub issuer: String,
    pub audience: String,
    pub organization_claim: String,
    pub leeway: Time,
}

impl Auth {
    /// The options of tokens; `None` = none are believed.
    ///
    /// # Errors
    /// The key that makes no sense, and why.
    pub fn tokens(&self) -> Result<Option<TokenOptions>, (&'static str, String)> {
        let keys = match self.algorithm.as_str() {
            "" => return self.nothing_is_set().map(|()| None),
            "HS256" => TokenKeys::Hs256(self.secret()?),
            "RS256" => TokenKeys::Rs256(self.source()?),
            "ES256" => TokenKeys::Es256(self.source()?),
            _ => {
                return refuse(
                    "auth.algorithm",
                    "expected HS256, RS256 or ES256, or nothing for no tokens",
                );
            }
        };
        for (key, value) in [
            ("auth.issuer", &self.issuer),
            ("auth.audience", &self.audience),
            ("auth.organization_claim", &self.organization_claim),
        ] {
            if value.is_empty() {
                return refuse(
                    key,
                    "must be set where there are tokens: it is checked against every one of them",
                );
            }
        }
        Ok(Some(TokenOptions {
            keys,
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            organization_claim: self.organization_claim.clone(),
            leeway: self.leeway.0,
        }))
    }

    /// Who sets something here wants tokens; without an algorithm there are none.
    fn nothing_is_set(&self) -> Result<(), (&'static str, String)> {
        let given = [
            self.secret.expose_secret(),
            &self.jwks,
            &self.issuer,
            &self.audience,
        ];
        if given.iter().all(|value| value.is_empty()) {
            return Ok(());
        }
        refuse(
            "auth.algorithm",
            "must be set where anything else of [auth] is: HS256, RS256 or ES256",
        )
    }

    fn secret(&self) -> Result<SecretString, (&'static str, String)> {
        if !self.jwks.is_empty() {
            return refuse("auth.jwks", "HS256 has a secret, and no key set");
        }
        if self.secret.expose_secret().len() < SHORTEST_SECRET {
            return refuse("auth.secret", "HS256 needs a secret of at least 32 bytes");
        }
        Ok(self.secret.clone())
    }

    fn source(&self) -> Result<KeySource, (&'static str, String)> {
        if !self.secret.expose_secret().is_empty() {
            return refuse("auth.secret", "only HS256 has a secret");
        }
        if self.jwks.is_empty() {
            return refuse(
                "auth.jwks",
                "must be set: the file or URL of the issuer's public keys",
            );
        }
        if !self.jwks.contains("://") {
            let path = PathBuf::from(&self.jwks);
            return match path.metadata() {
                Ok(_) => Ok(KeySource::File(path)),
                Err(error) => refuse("auth.jwks", &format!("the file cannot be read: {error}")),
            };
        }
        let safe = Url::parse(&self.jwks).is_ok_and(|url| match url.scheme() {
            "https" => true,
            // Whoever can answer in the issuer's place can sign in anybody.
            "http" => match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            },
            _ => false,
        });
        if safe {
            Ok(KeySource::Url(self.jwks.clone()))
        } else {
            refuse(
                "auth.jwks",
                "expected a file or an https:// URL; http:// only for this machine itself",
            )
        }
    }
}

fn refuse<T>(key: &'static str, message: &str) -> Result<T, (&'static str, String)> {
    Err((key, message.to_owned()))
}
