//! Organizations: organizations, their users, and how the first of each comes about.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::access::Tier;
use gristmill_core::{OrganizationId, UserId, boxed};
use serde_json::{Value, json};

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::scope::Administration;
use crate::connection::sql_types::Timestamp;
use crate::schema::{api_keys, memberships, organizations, users};
use crate::tables::api_keys::NewApiKey;
use crate::tables::audit;
use crate::{Action, Actor, Error, Store, System, Tenant};

/// An organization to be.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// What it is called.
    pub name: String,
    /// FREE, STARTER, GROWTH, ELITE or ENTERPRISE.
    pub tier: String,
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What they are called.
    pub name: String,
    /// No two users have the same.
    pub email: String,
    /// SUPER_ADMIN, ADMIN, MODERATOR or USER.
    pub global_role: String,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
    /// What it has subscribed to.
    pub tier: Tier,
    /// Since when it is known.
    pub created_at: DateTime<Utc>,
}

/// An organization's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organization.
    pub organization_id: OrganizationId,
    /// One of its owners.
    pub user_id: UserId,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = organizations)]
struct Row {
    id: String,
    name: String,
    tier: String,
    created_at: Timestamp,
}

const OWNER: &str = "OWNER";

impl Store {
    /// Makes an organization with an owner and the owner's first API key, all or nothing.
    ///
    /// # Errors
    /// [`Error::Statement`] when the email or the key's hash is taken, or a tier or role is unknown.
    #[boxed]
    pub async fn bootstrap(
        &self,
        _system: System,
        organization: NewOrganization,
        user: NewUser,
        key: NewApiKey,
    ) -> Result<Owner, Error> {
        let owner = Owner {
            organization_id: OrganizationId::new(),
            user_id: UserId::new(),
        };
        let tenant = Tenant(owner.organization_id.clone());
        let entries = [
            audit::insert(
                &tenant,
                &Actor::OPERATOR,
                Action::OrganizationCreate,
                &owner.organization_id,
                &detail(&organization),
            ),
            audit::insert(
                &tenant,
                &Actor::OPERATOR,
                Action::MemberAdd,
                &owner.user_id,
                &json!({"role": OWNER}),
            ),
            audit::insert(
                &tenant,
                &Actor::OPERATOR,
                Action::ApiKeyCreate,
                &key.id,
                &key.detail(&owner.user_id),
            ),
        ];
        let (organization_id, user_id) = (owner.organization_id.to_string(), owner.user_id.to_string());
        transaction!(self, Administration, |connection| {
            let new = (
                organizations::id.eq(&organization_id),
                organizations::name.eq(organization.name),
                organizations::tier.eq(organization.tier),
            );
            diesel::insert_into(organizations::table)
                .values(new)
                .execute(connection)
                .await?;
            let new = (
                users::id.eq(&user_id),
                users::name.eq(user.name),
                users::email.eq(user.email),
                users::global_role.eq(user.global_role),
            );
            diesel::insert_into(users::table)
                .values(new)
                .execute(connection)
                .await?;
            let new = (
                memberships::organization_id.eq(&organization_id),
                memberships::user_id.eq(&user_id),
                memberships::role.eq(OWNER),
            );
            diesel::insert_into(memberships::table)
                .values(new)
                .execute(connection)
                .await?;
            let new = key.values(&organization_id, &user_id);
            diesel::insert_into(api_keys::table)
                .values(new)
                .execute(connection)
                .await?;
            for entry in entries {
                entry.execute(connection).await?;
            }
            Ok(())
        })?;
        Ok(owner)
    }

    /// Makes an organization, which has no members yet.
    ///
    /// # Errors
    /// [`Error::Statement`] when the tier is unknown.
    #[boxed]
    pub async fn create_organization(
        &self,
        _system: System,
        actor: &Actor,
        new: NewOrganization,
    ) -> Result<Organization, Error> {
        let id = OrganizationId::new();
        let tenant = Tenant(id.clone());
        let entry = audit::insert(&tenant, actor, Action::OrganizationCreate, &id, &detail(&new));
        let row = transaction!(self, Administration, |connection| {
            let new = (
                organizations::id.eq(id.to_string()),
                organizations::name.eq(new.name),
                organizations::tier.eq(new.tier),
            );
            let row = diesel::insert_into(organizations::table)
                .values(new)
                .returning(Row::as_returning())
                .get_result::<Row>(connection)
                .await?;
            entry.execute(connection).await?;
            Ok(row)
        })?;
        Organization::try_from(row)
    }

    /// Up to `limit` organizations in order of age, from the one after `after` on.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn organizations(
        &self,
        _system: System,
        after: Option<&OrganizationId>,
        limit: i64,
    ) -> Result<Vec<Organization>, Error> {
        let after = after.map_or_else(String::new, ToString::to_string);
        let rows = read!(self, Administration, |connection| {
            let organizations = organizations::table
                .filter(organizations::id.gt(after))
                .order(organizations::id)
                .limit(limit)
                .select(Row::as_select());
            Ok(organizations.load::<Row>(connection).await?)
        })?;
        rows.into_iter().map(Organization::try_from).collect()
    }

    /// Changes what the tenant's organization has subscribed to. Whether there is such an organization.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn set_tier(&self, tenant: &Tenant, actor: &Actor, tier: Tier) -> Result<bool, Error> {
        let tier = tier.as_str();
        let entry = audit::insert(
            tenant,
            actor,
            Action::OrganizationSetTier,
            &tenant.0,
            &json!({"tier": tier}),
        );
        let organization_id = tenant.0.to_string();
        transaction!(self, Administration, |connection| {
            let change =
                diesel::update(organizations::table.find(organization_id)).set(organizations::tier.eq(tier));
            if change.execute(connection).await? == 0 {
                return Ok(false);
            }
            entry.execute(connection).await?;
            Ok(true)
        })
    }

    /// The oldest organization and its oldest owner: in embedded mode, the only ones.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn first_organization(&self, system: System) -> Result<Option<Owner>, Error> {
        let found = read!(self, system, |connection| {
            let owners = memberships::table
                .filter(memberships::role.eq(OWNER))
                // Ids are in order of age.
                .order((memberships::organization_id, memberships::user_id))
                .select((memberships::organization_id, memberships::user_id));
            Ok(owners.first::<(String, String)>(connection).await.optional()?)
        })?;
        let owner = found.map(|(organization_id, user_id)| {
            Ok(Owner {
                organization_id: parse("organization id", &organization_id)?,
                user_id: parse("user id", &user_id)?,
            })
        });
        owner.transpose()
    }
}

fn detail(new: &NewOrganization) -> Value {
    json!({"name": new.name, "tier": new.tier})
}

impl TryFrom<Row> for Organization {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("organization id", &row.id)?,
            name: row.name,
            tier: parse("tier", &row.tier)?,
            created_at: row.created_at.into(),
        })
    }
}
