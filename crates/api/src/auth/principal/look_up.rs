//! The look-up: from what a request presents to the principal.

use std::time::Instant;

use gristmill_core::ApiKeyId;
use gristmill_core::access::Scopes;
use gristmill_store::{Store, System, Tenant};

use super::Principal;
use crate::auth::key::{hash_of, is_key, sha256_hex};
use crate::auth::tokens::{Refusal, Tokens};
use crate::http::error::Error;
use crate::http::layers::RequestId;
use crate::state::AppState;

/// Whose this key or token is. Either is remembered by its hash only.
pub(super) async fn look_up(state: &AppState, presented: &str) -> Result<Principal, Error> {
    match &state.options.tokens {
        Some(tokens) if !is_key(presented) => {
            let hash = sha256_hex(presented.as_bytes());
            match state.keys.get(&hash) {
                Some(principal) => Ok(principal),
                None => by_token(state, tokens, presented, hash).await,
            }
        }
        _ => {
            let hash = hash_of(presented).ok_or(Error::WrongKey)?;
            match state.keys.get(&hash) {
                Some(principal) => Ok(principal),
                None => by_key(state, hash).await,
            }
        }
    }
}

async fn by_key(state: &AppState, hash: String) -> Result<Principal, Error> {
    let store = &state.services.store;
    let owner = store
        .api_key_by_hash(System, &hash)
        .await?
        .ok_or(Error::WrongKey)?;
    if owner.use_is_news {
        note_use(
            store.clone(),
            Tenant(owner.organization_id.clone()),
            owner.id.clone(),
        );
    }
    let principal = Principal {
        organization: owner.organization_id,
        user: owner.user_id,
        key: Some(owner.id),
        standing: owner.standing,
        scopes: owner.scopes,
        expires_at: owner.expires_at,
        good_until: owner
            .expires_in
            .and_then(|lives| Instant::now().checked_add(lives)),
        request: RequestId::default(),
    };
    state.keys.put(hash, principal.clone(), owner.expires_in);
    Ok(principal)
}

/// The token says who, the database what they may do.
async fn by_token(state: &AppState, tokens: &Tokens, token: &str, hash: String) -> Result<Principal, Error> {
    let bearer = tokens.verify(token).await.map_err(|refusal| match refusal {
        Refusal::Wrong(why) => Error::WrongToken(why),
        Refusal::NoKeys(error) => Error::NoTokenKeys(error),
    })?;
    let standing = state
        .services
        .store
        .standing(System, &bearer.organization, &bearer.user)
        .await?
        .ok_or_else(|| Error::WrongToken("its bearer is no member of the organization".to_owned()))?;
    let principal = Principal {
        organization: bearer.organization,
        user: bearer.user,
        key: None,
        standing,
        scopes: Scopes::ALL,
        expires_at: None,
        good_until: Instant::now().checked_add(bearer.expires_in),
        request: RequestId::default(),
    };
    state.keys.put(hash, principal.clone(), Some(bearer.expires_in));
    Ok(principal)
}

/// In a task of its own: no request waits for a note.
fn note_use(store: Store, tenant: Tenant, key: ApiKeyId) {
    tokio::spawn(async move {
        if let Err(error) = store.note_api_key_use(&tenant, &key).await {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(key.id = %key, error, "the use of an API key was not noted");
        }
    });
}
