//! Reading the log.

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::{ApiKeyId, AuditEntryId, UserId};

use super::{Action, ObjectKind};
use crate::parse::parse;
use crate::pool::read;
use crate::schema::audit_log;
use crate::sql_types::Timestamp;
use crate::{Error, Store, Tenant};

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditEntryId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom; `None` = whoever ran `gristmill admin`.
    pub user: Option<UserId>,
    /// With which key; `None` = with a token, or by `gristmill admin`.
    pub key: Option<ApiKeyId>,
    /// In which request.
    pub request: Option<String>,
    /// What, such as `workflow.create`. Text, because another version may know more of them.
    pub action: String,
    /// What sort of thing it was done to.
    pub object_kind: String,
    /// To which.
    pub object_id: String,
    /// A small JSON object, as serialized.
    pub detail: String,
}

/// Which entries are wanted; what is `None` is not asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// What was done.
    pub action: Option<Action>,
    /// To what sort of thing.
    pub object_kind: Option<ObjectKind>,
    /// To which.
    pub object: Option<String>,
    /// By whom.
    pub user: Option<UserId>,
    /// With which key.
    pub key: Option<ApiKeyId>,
    /// Not before this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
    /// Older than the entry that stands here.
    pub before: Option<AuditPlace>,
}

/// Where an entry stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    /// Its time.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: AuditEntryId,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
struct Row {
    id: String,
    created_at: Timestamp,
    actor_user_id: Option<String>,
    api_key_id: Option<String>,
    request_id: Option<String>,
    action: String,
    object_kind: String,
    object_id: String,
    detail: String,
}

impl Store {
    /// Up to `limit` entries of the tenant's log, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_log(
        &self,
        tenant: &Tenant,
        filter: AuditFilter,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, Error> {
        let organization_id = tenant.0.to_string();
        let rows = read!(self, tenant, |connection| {
            let mut query = audit_log::table
                .filter(audit_log::organization_id.eq(organization_id))
                .select(Row::as_select())
                .order((audit_log::created_at.desc(), audit_log::id.desc()))
                .limit(limit)
                .into_boxed();
            if let Some(action) = filter.action {
                query = query.filter(audit_log::action.eq(action.as_str()));
            }
            if let Some(kind) = filter.object_kind {
                query = query.filter(audit_log::object_kind.eq(kind.as_str()));
            }
            if let Some(object) = filter.object {
                query = query.filter(audit_log::object_id.eq(object));
            }
            if let Some(user) = filter.user {
                query = query.filter(audit_log::actor_user_id.eq(user.to_string()));
            }
            if let Some(key) = filter.key {
                query = query.filter(audit_log::api_key_id.eq(key.to_string()));
            }
            if let Some(from) = filter.from {
                query = query.filter(audit_log::created_at.ge(Timestamp(from)));
            }
            if let Some(to) = filter.to {
                query = query.filter(audit_log::created_at.lt(Timestamp(to)));
            }
            if let Some(AuditPlace { created_at, id }) = filter.before {
                let at = Timestamp(created_at);
                // The first condition lets the index skip what is newer; the second one leaves out those of the same
                // moment that have been seen.
                query = query
                    .filter(audit_log::created_at.le(at))
                    .filter(audit_log::created_at.lt(at).or(audit_log::id.lt(id.to_string())));
            }
            Ok(query.load::<Row>(connection).await?)
        })?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }
}

impl TryFrom<Row> for AuditEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let user = row.actor_user_id.map(|id| parse("user id", &id));
        let key = row.api_key_id.map(|id| parse("API key id", &id));
        Ok(Self {
            id: parse("audit entry id", &row.id)?,
            created_at: row.created_at.into(),
            user: user.transpose()?,
            key: key.transpose()?,
            request: row.request_id,
            action: row.action,
            object_kind: row.object_kind,
            object_id: row.object_id,
            detail: row.detail,
        })
    }
}
