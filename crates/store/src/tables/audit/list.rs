//! List: reading the log.

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::{ApiKeyId, AuditEntryId, UserId, boxed};

use super::{Action, ObjectKind};
use crate::connection::parse::parse;
use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::audit_log;
use crate::{Cursor, Error, Store, Tenant};

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
    pub before: Option<Cursor<AuditEntryId>>,
}

/// A part of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Newest first. There may be fewer than were asked for, or none, although the log goes on.
    pub entries: Vec<AuditEntry>,
    /// Where the log goes on; `None` at its end.
    pub next: Option<Cursor<AuditEntryId>>,
}

/// How many entries are looked at for one page, where no index narrows the log to all that is wanted: so many that a page
/// never costs more than some hundred blocks, however rare it is.
const EXAMINED: usize = 250;

impl AuditFilter {
    /// What the statement leaves to be looked at: it takes the index of one of object, key and user, the one that tends to
    /// have the fewest entries, and an action or a kind has none.
    fn unread(mut self) -> Self {
        if self.object.take().is_none() && self.key.take().is_none() {
            self.user = None;
        }
        self
    }

    /// Whether nothing is left to be looked at.
    const fn is_exhausted(&self) -> bool {
        self.action.is_none()
            && self.object_kind.is_none()
            && self.object.is_none()
            && self.user.is_none()
            && self.key.is_none()
    }

    fn wants(&self, entry: &AuditEntry) -> bool {
        self.action.is_none_or(|action| action.as_str() == entry.action)
            && self
                .object_kind
                .is_none_or(|kind| kind.as_str() == entry.object_kind)
            && (self.object.is_none() || self.object.as_ref() == Some(&entry.object_id))
            && (self.user.is_none() || self.user == entry.user)
            && (self.key.is_none() || self.key == entry.key)
    }
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
    /// Up to `limit` entries of the tenant's log, newest first, and where it goes on.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn audit_log(
        &self,
        tenant: &Tenant,
        filter: AuditFilter,
        limit: usize,
    ) -> Result<AuditPage, Error> {
        let organization_id = tenant.0.to_string();
        let unread = filter.clone().unread();
        // One more than is asked for, to know whether the log goes on; or as many as may be looked at, where what is read
        // need not be wanted.
        let examined = if unread.is_exhausted() {
            limit + 1
        } else {
            EXAMINED
        };
        let rows = read!(self, tenant, |connection| {
            let mut query = audit_log::table
                .filter(audit_log::organization_id.eq(organization_id))
                .select(Row::as_select())
                .order((audit_log::created_at.desc(), audit_log::id.desc()))
                .limit(i64::try_from(examined).unwrap_or(i64::MAX))
                .into_boxed();
            // One of them at most: see `unread`.
            if let Some(object) = filter.object {
                query = query.filter(audit_log::object_id.eq(object));
            } else if let Some(key) = filter.key {
                query = query.filter(audit_log::api_key_id.eq(key.to_string()));
            } else if let Some(user) = filter.user {
                query = query.filter(audit_log::actor_user_id.eq(user.to_string()));
            }
            if let Some(from) = filter.from {
                query = query.filter(audit_log::created_at.ge(Timestamp(from)));
            }
            if let Some(to) = filter.to {
                query = query.filter(audit_log::created_at.lt(Timestamp(to)));
            }
            if let Some(Cursor { created_at, id }) = filter.before {
                let at = Timestamp(created_at);
                // The first condition lets the index skip what is newer; the second one leaves out those of the same
                // moment that have been seen.
                query = query
                    .filter(audit_log::created_at.le(at))
                    .filter(audit_log::created_at.lt(at).or(audit_log::id.lt(id.to_string())));
            }
            Ok(query.load::<Row>(connection).await?)
        })?;
        let found: Result<Vec<_>, _> = rows.into_iter().map(AuditEntry::try_from).collect();
        Ok(page(found?, &unread, limit, examined))
    }
}

/// What of the examined entries is wanted, and where to go on: behind the last one of a full page, or behind the last one
/// that was looked at, as long as there may be more.
fn page(examined: Vec<AuditEntry>, unread: &AuditFilter, limit: usize, at_most: usize) -> AuditPage {
    let last = examined.last().map(AuditEntry::cursor);
    let may_go_on = examined.len() >= at_most;
    let mut entries = examined;
    entries.retain(|entry| unread.wants(entry));
    let next = if entries.len() > limit {
        entries.truncate(limit);
        entries.last().map(AuditEntry::cursor)
    } else {
        last.filter(|_| may_go_on)
    };
    AuditPage { entries, next }
}

impl AuditEntry {
    fn cursor(&self) -> Cursor<AuditEntryId> {
        Cursor {
            created_at: self.created_at,
            id: self.id.clone(),
        }
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
