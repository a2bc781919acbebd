//! Members: who belongs to an organization, and as what.

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use gristmill_core::access::{GlobalRole, OrganizationRole, Standing};
use gristmill_core::{OrganizationId, UserId, boxed};
use serde_json::json;

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::scope::Administration;
use crate::connection::sql_types::Timestamp;
use crate::schema::{api_keys, memberships, organizations, users};
use crate::tables::audit;
use crate::{Action, Actor, Error, Store, System, Tenant};

/// A user as a member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// What they are called.
    pub name: String,
    /// Where they are reached.
    pub email: String,
    /// Their role everywhere.
    pub global_role: GlobalRole,
    /// Their role in the organization, as stored: one that this version does not know gives no access.
    pub role: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// What became of an admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// A member now.
    Yes,
    /// A member already; the role was left as it is.
    Already,
    /// There is no such organization, or no such user.
    Unknown,
}

#[derive(Queryable)]
struct Row {
    user_id: String,
    name: String,
    email: String,
    global_role: String,
    role: String,
    created_at: Timestamp,
}

impl Store {
    /// What decides on a member's permissions; `None` for a user who is no member.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn standing(
        &self,
        system: System,
        organization_id: &OrganizationId,
        user_id: &UserId,
    ) -> Result<Option<Standing>, Error> {
        let key = (organization_id.to_string(), user_id.to_string());
        let found = read!(self, system, |connection| {
            let standing = memberships::table
                .inner_join(organizations::table.on(organizations::id.eq(memberships::organization_id)))
                .inner_join(users::table.on(users::id.eq(memberships::user_id)))
                .filter(
                    memberships::organization_id
                        .eq(key.0)
                        .and(memberships::user_id.eq(key.1)),
                )
                .select((users::global_role, memberships::role, organizations::tier));
            Ok(standing
                .first::<(String, String, String)>(connection)
                .await
                .optional()?)
        })?;
        let standing = found.map(|(global_role, role, tier)| {
            Ok(Standing {
                global_role: parse("global role", &global_role)?,
                // A role that this version does not know gives no access.
                organization_role: role.parse().ok(),
                tier: parse("tier", &tier)?,
            })
        });
        standing.transpose()
    }

    /// Makes a user a member of the tenant's organization.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn add_member(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        user_id: &UserId,
        role: OrganizationRole,
    ) -> Result<Admitted, Error> {
        let detail = json!({"role": role.as_str()});
        let entry = audit::insert(tenant, actor, Action::MemberAdd, user_id, &detail);
        let (organization_id, user_id) = (tenant.0.to_string(), user_id.to_string());
        transaction!(self, Administration, |connection| {
            let organization = organizations::table
                .find(&organization_id)
                .select(organizations::id);
            let user = users::table.find(&user_id).select(users::id);
            if organization
                .first::<String>(connection)
                .await
                .optional()?
                .is_none()
                || user.first::<String>(connection).await.optional()?.is_none()
            {
                return Ok(Admitted::Unknown);
            }
            let new = (
                memberships::organization_id.eq(&organization_id),
                memberships::user_id.eq(&user_id),
                memberships::role.eq(role.as_str()),
            );
            let added = diesel::insert_into(memberships::table)
                .values(new)
                .on_conflict_do_nothing()
                .execute(connection)
                .await?;
            if added == 0 {
                return Ok(Admitted::Already);
            }
            entry.execute(connection).await?;
            Ok(Admitted::Yes)
        })
    }

    /// The members of the tenant's organization, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn members(&self, tenant: &Tenant) -> Result<Vec<Member>, Error> {
        let organization_id = tenant.0.to_string();
        let rows = read!(self, tenant, |connection| {
            let members = memberships::table
                .inner_join(users::table.on(users::id.eq(memberships::user_id)))
                .filter(memberships::organization_id.eq(organization_id))
                .order((memberships::created_at, memberships::user_id))
                .select((
                    memberships::user_id,
                    users::name,
                    users::email,
                    users::global_role,
                    memberships::role,
                    memberships::created_at,
                ));
            Ok(members.load::<Row>(connection).await?)
        })?;
        rows.into_iter().map(Member::try_from).collect()
    }

    /// Changes a member's role in the tenant's organization. Whether there is such a member.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn set_member_role(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        user_id: &UserId,
        role: OrganizationRole,
    ) -> Result<bool, Error> {
        let detail = json!({"role": role.as_str()});
        let entry = audit::insert(tenant, actor, Action::MemberSetRole, user_id, &detail);
        let key = (tenant.0.to_string(), user_id.to_string());
        transaction!(self, Administration, |connection| {
            let change =
                diesel::update(memberships::table.find(key)).set(memberships::role.eq(role.as_str()));
            if change.execute(connection).await? == 0 {
                return Ok(false);
            }
            entry.execute(connection).await?;
            Ok(true)
        })
    }

    /// Removes a member from the tenant's organization, and all of their keys with it: how many of those worked;
    /// `None` when there is no such member. What they made stays.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn remove_member(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        user_id: &UserId,
    ) -> Result<Option<usize>, Error> {
        let (tenant, actor, user) = (tenant.clone(), actor.clone(), user_id.clone());
        transaction!(self, Administration, |connection| {
            let (organization_id, user_id) = (tenant.0.to_string(), user.to_string());
            let keys = api_keys::table
                .filter(api_keys::organization_id.eq(&organization_id))
                .filter(api_keys::user_id.eq(&user_id))
                .filter(api_keys::revoked_at.is_null())
                .order(api_keys::id)
                .select(api_keys::id);
            let keys = keys.load::<String>(connection).await?;
            // A key belongs to a membership: the database deletes it in the same statement, also one that was made since.
            let gone = diesel::delete(memberships::table.find((&organization_id, &user_id)));
            if gone.execute(connection).await? == 0 {
                return Ok(None);
            }
            let detail = json!({"apiKeys": keys});
            audit::insert(&tenant, &actor, Action::MemberRemove, user, &detail)
                .execute(connection)
                .await?;
            Ok(Some(keys.len()))
        })
    }
}

impl TryFrom<Row> for Member {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            user_id: parse("user id", &row.user_id)?,
            name: row.name,
            email: row.email,
            global_role: parse("global role", &row.global_role)?,
            role: row.role,
            created_at: row.created_at.into(),
        })
    }
}
