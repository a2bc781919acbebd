//! API keys: stored as hashes, found by them.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use gristmill_core::access::Standing;
use gristmill_core::{ApiKeyId, OrganizationId, UserId};

use crate::parse::parse;
use crate::pool::{read, transaction};
use crate::schema::{api_keys, memberships, organizations, users};
use crate::{Error, Store, System, Tenant};

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
}

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
}

#[derive(Queryable)]
struct Row {
    id: String,
    organization_id: String,
    user_id: String,
    tier: String,
    global_role: String,
    organization_role: String,
}

/// What [`NewApiKey::values`] inserts, column by column.
type Values<'a> = (
    diesel::dsl::Eq<api_keys::id, String>,
    diesel::dsl::Eq<api_keys::organization_id, &'a str>,
    diesel::dsl::Eq<api_keys::user_id, &'a str>,
    diesel::dsl::Eq<api_keys::name, String>,
    diesel::dsl::Eq<api_keys::prefix, String>,
    diesel::dsl::Eq<api_keys::hash, String>,
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
        )
    }
}

impl Store {
    /// The owner of the key with this hash; of a revoked key there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_key_by_hash(&self, system: System, hash: &str) -> Result<Option<KeyOwner>, Error> {
        let hash = hash.to_owned();
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
                ));
            Ok(owner.first::<Row>(connection).await.optional()?)
        })?;
        found.map(KeyOwner::try_from).transpose()
    }

    /// One more key for a member of the tenant's organization.
    ///
    /// # Errors
    /// [`Error::Statement`] when the user is no member, or the hash is taken.
    pub async fn add_api_key(&self, tenant: &Tenant, user_id: &UserId, key: NewApiKey) -> Result<(), Error> {
        let (organization_id, user_id) = (tenant.0.to_string(), user_id.to_string());
        transaction!(self, tenant, |connection| {
            let new = key.values(&organization_id, &user_id);
            diesel::insert_into(api_keys::table)
                .values(new)
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}

impl TryFrom<Row> for KeyOwner {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
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
        })
    }
}
