//! `DELETE /keys/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use gristmill_core::ApiKeyId;
use gristmill_core::access::Permission;
use gristmill_store::Revoked;
use tracing::info;

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Ends a key of the caller's; for who administers the organization, anybody's. Another member's key is not there for
/// who may not see it. Revoking what is revoked changes nothing and is no error.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    operation_id = "revokeKey",
    params(
        ("id" = schema::ApiKeyId, Path, description = "The key's id."),
    ),
    responses(
        (status = 204, description = "It is revoked, now or since before."),
    )
)]
pub(crate) async fn revoke(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, Error> {
    principal.require(Permission::Access)?;
    let anybodys = principal.may(Permission::OrganizationAdminister);
    let owner = (!anybodys).then_some(&principal.user);
    let revoked = state
        .services
        .store
        .revoke_api_key(&principal.tenant(), &principal.actor(), &id, owner)
        .await
        .map_err(Error::from_write)?;
    match revoked {
        Revoked::Yes => info!(revoked.key.id = %id, "an API key was revoked"),
        Revoked::Already => {}
        Revoked::Unknown => return Err(Error::NotFound("API key")),
    }
    Ok(StatusCode::NO_CONTENT)
}
