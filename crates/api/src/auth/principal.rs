//! The principal: who asks, out of the request's key or token.

mod credential;
mod look_up;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use gristmill_core::access::{Permission, Scopes, Standing};
use gristmill_core::{ApiKeyId, OrganizationId, UserId};
use gristmill_store::{Actor, Tenant};
use tracing::Span;
use tracing::field::display;

pub(crate) use credential::Credential;

use crate::auth::rates::Caller;
use crate::http::error::Error;
use crate::http::extract::Return;
use crate::http::layers::{RateShown, RequestId};
use crate::state::AppState;
use look_up::look_up;

/// Whoever the request's API key or token belongs to. As an argument of a handler it is what makes a route need one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// On whose behalf.
    pub(crate) organization: OrganizationId,
    /// The key's owner.
    pub(crate) user: UserId,
    /// The key itself, by its public id; `None` = a token.
    pub(crate) key: Option<ApiKeyId>,
    /// What decides on what they may do.
    pub(crate) standing: Standing,
    /// What the key is narrowed to.
    pub(crate) scopes: Scopes,
    /// When the key ends.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Until when the key or token is good, unless it is revoked.
    pub(crate) good_until: Option<Instant>,
    /// The request that is being made.
    pub(crate) request: RequestId,
}

impl Principal {
    /// The scope of everything that this request may see.
    pub(crate) fn tenant(&self) -> Tenant {
        Tenant(self.organization.clone())
    }

    /// Who asks, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            user: Some(self.user.clone()),
            key: self.key.clone(),
            request: Some(self.request.0.to_string()),
        }
    }

    /// Whose rate the request counts against.
    pub(crate) fn caller(&self) -> Caller {
        match &self.key {
            Some(key) => Caller::Key(key.clone()),
            None => Caller::Member(self.organization.clone(), self.user.clone()),
        }
    }

    /// Whether this may be done.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.scopes.include(permission) && self.standing.gives(permission)
    }

    /// How much of an execution to answer with that somebody else may have submitted: who may not look at executions is
    /// not shown one for having done something to it.
    pub(crate) fn shown(&self) -> Return {
        if self.may(Permission::WorkflowsView) {
            Return::Representation
        } else {
            Return::Minimal
        }
    }

    /// Makes sure that this may be done. What a route needs is the first line of its handler.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Error> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(Error::Forbidden(permission))
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Principal {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Error> {
        let mut principal = look_up(state, bearer(parts).ok_or(Error::NoKey)?).await?;
        let Ok(shown) = RateShown::from_request_parts(parts, state).await;
        shown.note(state.rates.check(&principal.caller(), 1))?;
        principal.request = parts.extensions.get().cloned().unwrap_or_default();
        let span = Span::current();
        span.record("organization.id", display(&principal.organization));
        if let Some(key) = &principal.key {
            span.record("key.id", display(key));
        }
        Ok(principal)
    }
}

/// The token of `Authorization: Bearer …`; the scheme's name is in any case (RFC 9110).
fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
