//! `GET /keys`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ApiKeyId;
use gristmill_core::access::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::View;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::Filters;
use crate::http::openapi::{query, schema};
use crate::state::AppState;

/// A page of keys.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyPage)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    keys: Vec<View<'a>>,
    /// What to ask for as `cursor` next; null at the end.
    #[schema(required, value_type = Option<schema::ApiKeyId>)]
    next_cursor: Option<&'a ApiKeyId>,
}

/// The caller's keys, newest first; for who administers the organization, everybody's. Revoked and expired ones are
/// among them.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "listKeys",
    params(
        query::Keys,
    ),
    responses(
        (status = 200, description = "A page.", body = Body<'static>),
    )
)]
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    mut filters: Filters,
) -> Result<Response, Error> {
    principal.require(Permission::Access)?;
    let before: Option<ApiKeyId> = filters.take("cursor", "a `nextCursor` of an earlier answer");
    let limit = filters.limit();
    filters.finish()?;
    let everybodys = principal.may(Permission::OrganizationAdminister);
    let owner = (!everybodys).then_some(&principal.user);
    let store = &state.services.store;
    // One more than asked for shows whether there are more.
    let mut keys = store
        .api_keys(&principal.tenant(), owner, before.as_ref(), limit + 1)
        .await?;
    let more = keys.len() > limit as usize;
    keys.truncate(limit as usize);
    let body = Body {
        keys: keys.iter().map(View::new).collect(),
        next_cursor: keys.last().filter(|_| more).map(|key| &key.id),
    };
    json(StatusCode::OK, &body)
}
