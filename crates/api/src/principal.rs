//! Who asks.

mod cache;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use gristmill_core::access::{Permission, Standing};
use gristmill_core::{ApiKeyId, OrganizationId, UserId};
use gristmill_store::{System, Tenant};
use tracing::Span;
use tracing::field::display;

pub(crate) use cache::KeyCache;

use crate::error::Error;
use crate::key::hash_of;
use crate::layers::RateShown;
use crate::rates::Rate;
use crate::state::AppState;

/// Whoever the request's API key belongs to. As an argument of a handler it is what makes a route need a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// On whose behalf.
    pub(crate) organization: OrganizationId,
    /// The key's owner.
    pub(crate) user: UserId,
    /// The key itself, by its public id.
    pub(crate) key: ApiKeyId,
    /// What decides on what they may do.
    pub(crate) standing: Standing,
}

impl Principal {
    /// The scope of everything that this request may see.
    pub(crate) fn tenant(&self) -> Tenant {
        Tenant(self.organization.clone())
    }

    /// Makes sure that this may be done. What a route needs is the first line of its handler.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Error> {
        if self.standing.gives(permission) {
            Ok(())
        } else {
            Err(Error::Forbidden(permission))
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Principal {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Error> {
        let hash = hash_of(bearer(parts).ok_or(Error::NoKey)?).ok_or(Error::WrongKey)?;
        let principal = match state.keys.get(&hash) {
            Some(principal) => principal,
            None => look_up(state, hash).await?,
        };
        note_rate(parts, state.rates.admit(&principal, 1))?;
        Span::current()
            .record("organization.id", display(&principal.organization))
            .record("key.id", display(&principal.key));
        Ok(principal)
    }
}

async fn look_up(state: &AppState, hash: String) -> Result<Principal, Error> {
    let owner = state
        .services
        .store
        .api_key_by_hash(System, &hash)
        .await?
        .ok_or(Error::WrongKey)?;
    let principal = Principal {
        organization: owner.organization_id,
        user: owner.user_id,
        key: owner.id,
        standing: owner.standing,
    };
    state.keys.put(hash, principal.clone());
    Ok(principal)
}

/// Leaves a caller's rate where [`crate::layers::show_rate`] finds it, refused or not.
fn note_rate(parts: &Parts, admitted: Result<Option<Rate>, Error>) -> Result<(), Error> {
    let rate = match &admitted {
        Ok(rate) => *rate,
        Err(Error::TooFast(rate)) => Some(*rate),
        Err(_) => None,
    };
    if let (Some(rate), Some(shown)) = (rate, parts.extensions.get::<RateShown>()) {
        // A handler that asks for its caller twice is told twice, and the first time counts.
        shown.0.set(rate).ok();
    }
    admitted.map(|_| ())
}

/// The token of `Authorization: Bearer …`; the scheme's name is in any case (RFC 9110).
fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
