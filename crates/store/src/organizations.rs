//! Organizations, their users, and how the first of each comes about.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{OrganizationId, UserId};

use crate::api_keys::NewApiKey;
use crate::parse::parse;
use crate::pool::{read, transaction};
use crate::schema::{api_keys, memberships, organizations, users};
use crate::scope::Administration;
use crate::{Error, Store, System};

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

/// An organization's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organization.
    pub organization_id: OrganizationId,
    /// One of its owners.
    pub user_id: UserId,
}

const OWNER: &str = "OWNER";

impl Store {
    /// Makes an organization with an owner and the owner's first API key, all or nothing.
    ///
    /// # Errors
    /// [`Error::Statement`] when the email or the key's hash is taken, or a tier or role is unknown.
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
            Ok(())
        })?;
        Ok(owner)
    }

    /// The oldest organization and its oldest owner: in embedded mode, the only ones.
    ///
    /// # Errors
    /// When the database does not answer.
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
