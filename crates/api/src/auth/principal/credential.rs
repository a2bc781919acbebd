//! The credential: the key or token of a request whose answer lasts.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gristmill_core::access::Permission;

use super::look_up::look_up;
use super::{Principal, bearer};
use crate::http::error::Error;
use crate::state::AppState;

/// What a request presents, so that whoever goes on answering it can ask again whether the caller still may.
pub(crate) struct Credential(String);

impl Credential {
    /// Whose it is now, if they still have the permission.
    ///
    /// # Errors
    /// It is revoked or has expired, or the permission is gone; or the database does not answer.
    pub(crate) async fn still(&self, state: &AppState, permission: Permission) -> Result<Principal, Error> {
        let principal = look_up(state, &self.0).await?;
        principal.require(permission)?;
        Ok(principal)
    }
}

impl FromRequestParts<Arc<AppState>> for Credential {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<AppState>) -> Result<Self, Error> {
        bearer(parts)
            .map(|presented| Self(presented.to_owned()))
            .ok_or(Error::NoKey)
    }
}
