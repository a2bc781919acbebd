//! `GET /audit`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use gristmill_core::access::Permission;
use gristmill_core::{ApiKeyId, AuditEntryId, UserId};
use gristmill_store::{Action, AuditEntry, AuditFilter, ObjectKind};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::cursor;
use crate::http::error::Error;
use crate::http::extract::Filters;
use crate::http::openapi::{query, schema};
use crate::state::AppState;

/// A page of the log. It may hold fewer entries than there are, or none, as long as there is a next one.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    entries: Vec<View<'a>>,
    /// What to ask for as `cursor` next; null at the end of the log.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    #[schema(value_type = schema::AuditEntryId)]
    id: &'a AuditEntryId,
    created_at: DateTime<Utc>,
    action: &'a str,
    object: Object<'a>,
    /// Without a user: whoever ran `gristmill admin`.
    actor: By<'a>,
    #[schema(required)]
    request_id: Option<&'a str>,
    /// What else there is to tell, depending on the action.
    #[schema(value_type = Object)]
    detail: &'a RawValue,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditObject)]
struct Object<'a> {
    kind: &'a str,
    id: &'a str,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
#[serde(rename_all = "camelCase")]
struct By<'a> {
    #[schema(required, value_type = Option<schema::UserId>)]
    user_id: Option<&'a UserId>,
    #[schema(required, value_type = Option<schema::ApiKeyId>)]
    key_id: Option<&'a ApiKeyId>,
}

/// Who did what to which object, when, and with which key: newest first, for owners and admins.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "listAudit",
    params(
        query::Audit,
    ),
    responses(
        (status = 200, description = "A page.", body = Body<'static>),
    )
)]
pub(crate) async fn list(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    filters: Filters,
) -> Result<Response, Error> {
    principal.require(Permission::OrganizationAdminister)?;
    let (filter, limit) = read(filters)?;
    let store = &state.services.store;
    let page = store.audit_log(&principal.tenant(), filter, limit).await?;
    let body = Body {
        entries: page.entries.iter().map(View::new).collect::<Result<_, _>>()?,
        next_cursor: page.next.as_ref().map(cursor::write),
    };
    json(StatusCode::OK, &body)
}

/// Reads `action`, `objectKind`, `objectId`, `userId`, `keyId`, `from`, `to`, `cursor` and `limit`.
fn read(mut filters: Filters) -> Result<(AuditFilter, usize), Error> {
    let one_of = |names: Vec<&str>| format!("one of {}", names.join(", "));
    let actions = one_of(Action::ALL.iter().map(|action| action.as_str()).collect());
    let kinds = one_of(ObjectKind::ALL.iter().map(|kind| kind.as_str()).collect());
    let filter = AuditFilter {
        action: filters.take("action", &actions),
        object_kind: filters.take("objectKind", &kinds),
        object: filters.take_with("objectId", "an object's id", object_id),
        user: filters.take("userId", "a user's id"),
        key: filters.take("keyId", "an API key's id"),
        from: filters.take_time("from"),
        to: filters.take_time("to"),
        before: filters.take_with("cursor", "a `nextCursor` of an earlier answer", cursor::read),
    };
    let limit = usize::try_from(filters.limit()).unwrap_or_default();
    filters.finish()?;
    Ok((filter, limit))
}

fn object_id(text: &str) -> Option<String> {
    let well_formed = (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    well_formed.then(|| text.to_owned())
}

impl<'a> View<'a> {
    fn new(entry: &'a AuditEntry) -> Result<Self, Error> {
        Ok(Self {
            id: &entry.id,
            created_at: entry.created_at,
            action: &entry.action,
            object: Object {
                kind: &entry.object_kind,
                id: &entry.object_id,
            },
            actor: By {
                user_id: entry.user.as_ref(),
                key_id: entry.key.as_ref(),
            },
            request_id: entry.request.as_deref(),
            detail: serde_json::from_str(&entry.detail).map_err(Error::internal)?,
        })
    }
}
