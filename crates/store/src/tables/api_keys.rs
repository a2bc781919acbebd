//! API keys: stored as hashes, found by them.

mod list;
mod owner;

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, UserId, boxed};
use serde_json::{Value, json};

use crate::connection::pool::transaction;
use crate::connection::sql_types::Timestamp;
use crate::schema::{api_keys, memberships};
use crate::tables::audit;
use crate::{Action, Actor, Error, Store, Tenant};
use list::Row;

pub use list::KeyRecord;
pub use owner::KeyOwner;

/// An API key to be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Public.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// The key's beginning, by which people tell their keys apart.
    pub prefix: String,
    /// The key's hash; the key itself is not kept.
    pub hash: String,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// When it ends; `None` = when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What became of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// The key works no more.
    Yes,
    /// It was revoked before.
    Already,
    /// There is no such key, or not for whoever asks.
    Unknown,
}

/// What [`NewApiKey::values`] inserts, column by column.
type Values<'a> = (
    diesel::dsl::Eq<api_keys::id, String>,
    diesel::dsl::Eq<api_keys::organization_id, &'a str>,
    diesel::dsl::Eq<api_keys::user_id, &'a str>,
    diesel::dsl::Eq<api_keys::name, String>,
    diesel::dsl::Eq<api_keys::prefix, String>,
    diesel::dsl::Eq<api_keys::hash, String>,
    diesel::dsl::Eq<api_keys::scopes, String>,
    diesel::dsl::Eq<api_keys::expires_at, Option<Timestamp>>,
);

impl NewApiKey {
    pub(crate) fn values<'a>(self, organization_id: &'a str, user_id: &'a str) -> Values<'a> {
        (
            api_keys::id.eq(self.id.to_string()),
            api_keys::organization_id.eq(organization_id),
            api_keys::user_id.eq(user_id),
            api_keys::name.eq(self.name),
            api_keys::prefix.eq(self.prefix),
            api_keys::hash.eq(self.hash),
            api_keys::scopes.eq(json!(self.scopes.names()).to_string()),
            api_keys::expires_at.eq(self.expires_at.map(Timestamp)),
        )
    }

    /// What the audit log tells of it.
    pub(crate) fn detail(&self, user_id: &UserId) -> Value {
        json!({
            "name": self.name,
            "prefix": self.prefix,
            "userId": user_id,
            "scopes": self.scopes.names(),
            "expiresAt": self.expires_at,
        })
    }
}

impl Store {
    /// One more key for a member of the tenant's organization; `None` when the user is no member.
    ///
    /// # Errors
    /// [`Error::Statement`] when the hash is taken.
    #[boxed]
    pub async fn add_api_key(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        user_id: &UserId,
        key: NewApiKey,
    ) -> Result<Option<KeyRecord>, Error> {
        let entry = audit::insert(tenant, actor, Action::ApiKeyCreate, &key.id, &key.detail(user_id));
        let (organization_id, user_id) = (tenant.0.to_string(), user_id.to_string());
        let row = transaction!(self, tenant, |connection| {
            let member = memberships::table
                .find((&organization_id, &user_id))
                .select(memberships::user_id);
            if member.first::<String>(connection).await.optional()?.is_none() {
                return Ok(None);
            }
            let row = diesel::insert_into(api_keys::table)
                .values(key.values(&organization_id, &user_id))
                .returning(Row::as_returning())
                .get_result::<Row>(connection)
                .await?;
            entry.execute(connection).await?;
            Ok(Some(row))
        })?;
        row.map(KeyRecord::try_from).transpose()
    }

    /// Revokes a key of the tenant's organization; with `owner`, only one of that user's.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn revoke_api_key(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        id: &ApiKeyId,
        owner: Option<&UserId>,
    ) -> Result<Revoked, Error> {
        let now = Timestamp(self.now().await?);
        let entry = audit::insert(tenant, actor, Action::ApiKeyRevoke, id, &json!({}));
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let owner = owner.map(ToString::to_string);
        transaction!(self, tenant, |connection| {
            let mine = api_keys::organization_id
                .eq(&organization_id)
                .and(api_keys::id.eq(&id));
            let found = api_keys::table.filter(mine).select(api_keys::user_id);
            let found = found.first::<String>(connection).await.optional()?;
            if found.is_none_or(|user| owner.is_some_and(|owner| owner != user)) {
                return Ok(Revoked::Unknown);
            }
            // Of two who revoke it at once, the second waits for the first one's lock and then changes nothing.
            let change = diesel::update(api_keys::table.filter(mine.and(api_keys::revoked_at.is_null())))
                .set(api_keys::revoked_at.eq(now));
            if change.execute(connection).await? == 0 {
                return Ok(Revoked::Already);
            }
            entry.execute(connection).await?;
            Ok(Revoked::Yes)
        })
    }
}
