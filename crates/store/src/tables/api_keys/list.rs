//! List: keys as their owners see them.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, UserId, boxed};

use crate::connection::parse::parse;
use crate::connection::pool::read;
use crate::connection::sql_types::Timestamp;
use crate::schema::api_keys;
use crate::{Error, Store, Tenant};

/// What is kept of an API key; not the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Public.
    pub id: ApiKeyId,
    /// Who it acts as.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The key's beginning, by which people tell their keys apart.
    pub prefix: String,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; `None` = when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct Row {
    id: String,
    user_id: String,
    name: String,
    prefix: String,
    scopes: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl Store {
    /// Up to `limit` keys of the tenant's organization, newest first: those of `owner` if there is one, and those older
    /// than `before` if that is given. Revoked and expired ones are among them.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn api_keys(
        &self,
        tenant: &Tenant,
        owner: Option<&UserId>,
        before: Option<&ApiKeyId>,
        limit: i64,
    ) -> Result<Vec<KeyRecord>, Error> {
        let organization_id = tenant.0.to_string();
        let (owner, before) = (owner.map(ToString::to_string), before.map(ToString::to_string));
        let rows = read!(self, tenant, |connection| {
            let mut query = api_keys::table
                .filter(api_keys::organization_id.eq(organization_id))
                .select(Row::as_select())
                // Ids are in order of age.
                .order(api_keys::id.desc())
                .limit(limit)
                .into_boxed();
            if let Some(owner) = owner {
                query = query.filter(api_keys::user_id.eq(owner));
            }
            if let Some(before) = before {
                query = query.filter(api_keys::id.lt(before));
            }
            Ok(query.load::<Row>(connection).await?)
        })?;
        rows.into_iter().map(KeyRecord::try_from).collect()
    }
}

/// Reads a JSON array of scopes.
pub(super) fn scopes(stored: &str) -> Result<Scopes, Error> {
    let names: Vec<String> = serde_json::from_str(stored).map_err(|source| Error::Corrupt {
        what: "API key's scopes",
        source: Box::new(source),
    })?;
    Ok(Scopes::from_stored(names.iter().map(String::as_str)))
}

impl TryFrom<Row> for KeyRecord {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("API key id", &row.id)?,
            user_id: parse("user id", &row.user_id)?,
            name: row.name,
            prefix: row.prefix,
            scopes: scopes(&row.scopes)?,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Into::into),
            last_used_at: row.last_used_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
        })
    }
}
