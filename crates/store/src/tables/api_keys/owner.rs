//! Whose a key is: what every request asks, unless it was asked a moment ago.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use gristmill_core::access::{Scopes, Standing};
use gristmill_core::{ApiKeyId, OrganizationId, UserId, boxed};

use super::list::scopes;
use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::sql_types::{Moment, Timestamp};
use crate::schema::{api_keys, memberships, organizations, users};
use crate::{Error, Store, System, Tenant};

/// How often a key's last use is written down.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Whose a key is, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The key.
    pub id: ApiKeyId,
    /// The organization that it acts in.
    pub organization_id: OrganizationId,
    /// The user who it acts as.
    pub user_id: UserId,
    /// What they may do.
    pub standing: Standing,
    /// What the key is narrowed to.
    pub scopes: Scopes,
    /// When it ends; `None` = when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// How long that is from now.
    pub expires_in: Option<Duration>,
    /// Whether its use is worth a note, because the last one is a minute old.
    pub use_is_news: bool,
}

#[derive(Queryable)]
struct Row {
    id: String,
    organization_id: String,
    user_id: String,
    tier: String,
    global_role: String,
    organization_role: String,
    scopes: String,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    now: Timestamp,
}

impl Store {
    /// The owner of the key with this hash; of a key that was revoked or has expired, by the database's clock, there is
    /// none, nor of one whose owner is no member any more.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn api_key_by_hash(&self, system: System, hash: &str) -> Result<Option<KeyOwner>, Error> {
        let (hash, clock) = (hash.to_owned(), self.clock());
        let found = read!(self, system, |connection| {
            let owner = api_keys::table
                .inner_join(organizations::table.on(organizations::id.eq(api_keys::organization_id)))
                .inner_join(users::table.on(users::id.eq(api_keys::user_id)))
                .inner_join(
                    memberships::table.on(memberships::organization_id
                        .eq(api_keys::organization_id)
                        .and(memberships::user_id.eq(api_keys::user_id))),
                )
                .filter(api_keys::hash.eq(hash))
                .filter(api_keys::revoked_at.is_null())
                .select((
                    api_keys::id,
                    api_keys::organization_id,
                    api_keys::user_id,
                    organizations::tier,
                    users::global_role,
                    memberships::role,
                    api_keys::scopes,
                    api_keys::expires_at,
                    api_keys::last_used_at,
                    sql::<Moment>(clock),
                ));
            Ok(owner.first::<Row>(connection).await.optional()?)
        })?;
        match found {
            Some(row) if row.expires_at.is_some_and(|end| end.0 <= row.now.0) => Ok(None),
            found => found.map(KeyOwner::try_from).transpose(),
        }
    }

    /// Notes that a key was used, at most once a minute, however many processes say so.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn note_api_key_use(&self, tenant: &Tenant, id: &ApiKeyId) -> Result<(), Error> {
        let (id, now) = (id.to_string(), self.now().await?);
        transaction!(self, tenant, |connection| {
            let stale = api_keys::last_used_at
                .is_null()
                .or(api_keys::last_used_at.le(Timestamp(now - USE_NOTED_EVERY)));
            diesel::update(api_keys::table.filter(api_keys::id.eq(id)).filter(stale))
                .set(api_keys::last_used_at.eq(Timestamp(now)))
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}

impl TryFrom<Row> for KeyOwner {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let expires_in = row.expires_at.map(|end| end.0 - row.now.0);
        let last_used = row.last_used_at.map(|used| row.now.0 - used.0);
        Ok(Self {
            id: parse("API key id", &row.id)?,
            organization_id: parse("organization id", &row.organization_id)?,
            user_id: parse("user id", &row.user_id)?,
            standing: Standing {
                global_role: parse("global role", &row.global_role)?,
                // A role that this version does not know gives no access.
                organization_role: row.organization_role.parse().ok(),
                tier: parse("tier", &row.tier)?,
            },
            scopes: scopes(&row.scopes)?,
            expires_at: row.expires_at.map(Into::into),
            expires_in: expires_in.map(|left| left.to_std().unwrap_or_default()),
            use_is_news: last_used.is_none_or(|ago| ago >= USE_NOTED_EVERY),
        })
    }
}
