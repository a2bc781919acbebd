//! The audit log: who did what to which object, when, and with which key. An entry is written in the transaction of the
//! change that it tells of, so there is neither a change without an entry nor an entry without a change.

mod action;
mod list;

use diesel::Insertable;
use diesel::query_builder::InsertStatement;
use gristmill_core::{ApiKeyId, AuditEntryId, UserId};
use serde_json::Value;

use crate::Tenant;
use crate::schema::audit_log;

pub use action::{Action, ObjectKind, ParseActionError};
pub use list::{AuditEntry, AuditFilter, AuditPage};

/// Who asks for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `None` = whoever runs `gristmill admin`, or Gristmill itself.
    pub user: Option<UserId>,
    /// The API key that the request came with; a token has none.
    pub key: Option<ApiKeyId>,
    /// The request's id, as in the `x-request-id` header and in the logs.
    pub request: Option<String>,
}

impl Actor {
    /// Whoever has the database's own password: `gristmill admin`.
    pub const OPERATOR: Self = Self {
        user: None,
        key: None,
        request: None,
    };
}

/// A row of the log to be; its time is the database's.
#[derive(Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
pub(crate) struct NewEntry {
    id: String,
    organization_id: String,
    actor_user_id: Option<String>,
    api_key_id: Option<String>,
    request_id: Option<String>,
    action: &'static str,
    object_kind: &'static str,
    object_id: String,
    detail: String,
}

/// The statement that writes an entry: `audit::insert(…).execute(connection)` in the body of a `transaction!`, and in the
/// transactions of both databases' protocols. `detail` is a small JSON object.
pub(crate) fn insert(
    tenant: &Tenant,
    actor: &Actor,
    action: Action,
    object: impl ToString,
    detail: &Value,
) -> InsertStatement<audit_log::table, <NewEntry as Insertable<audit_log::table>>::Values> {
    let entry = NewEntry {
        id: AuditEntryId::new().to_string(),
        organization_id: tenant.0.to_string(),
        actor_user_id: actor.user.as_ref().map(ToString::to_string),
        api_key_id: actor.key.as_ref().map(ToString::to_string),
        request_id: actor.request.clone(),
        action: action.as_str(),
        object_kind: action.object_kind().as_str(),
        object_id: object.to_string(),
        detail: detail.to_string(),
    };
    diesel::insert_into(audit_log::table).values(entry)
}
