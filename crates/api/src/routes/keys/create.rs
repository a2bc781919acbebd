//! `POST /keys`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use gristmill_core::ApiKeyId;
use gristmill_core::access::Permission;
use gristmill_store::NewApiKey;

use super::body::NewKey;
use super::view::Made;
use crate::auth::key::ApiKey;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Document;
use crate::http::openapi::schema;
use crate::state::AppState;

/// Makes a key for the caller. The answer is the only place where the key is shown.
#[utoipa::path(
    post,
    path = "/keys",
    operation_id = "createKey",
    request_body = schema::CreateKeyRequest,
    responses(
        (
            status = 201, description = "Made. The key is shown this once.", body = Made<'static>,
            headers(("cache-control" = String, description = "`no-store`."))
        ),
    )
)]
pub(crate) async fn create(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::Access)?;
    let store = &state.services.store;
    let now = store.now().await?;
    let asked = NewKey::read(&document, &principal, now).map_err(Error::Invalid)?;
    let ApiKey { key, prefix, hash } = ApiKey::generate();
    let new = NewApiKey {
        id: ApiKeyId::new(),
        name: asked.name,
        prefix,
        hash,
        scopes: asked.scopes,
        expires_at: asked.expires_at,
    };
    let made = store
        .add_api_key(&principal.tenant(), &principal.actor(), &principal.user, new)
        .await
        .map_err(Error::from_write)?;
    // No member any more, since a moment ago.
    let record = made.ok_or(Error::WrongKey)?;
    let answer = json(StatusCode::CREATED, &Made::new(&record, &key))?;
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer).into_response())
}
