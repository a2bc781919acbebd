//! Users: people, and services that act like people.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::access::GlobalRole;
use gristmill_core::{UserId, boxed};
use serde_json::json;

use crate::connection::parse::parse;
use crate::connection::pool::{read, transaction};
use crate::connection::scope::Administration;
use crate::connection::sql_types::Timestamp;
use crate::schema::{memberships, users};
use crate::tables::audit;
use crate::{Action, Actor, Error, NewUser, Store, System, Tenant};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// No two users have the same.
    pub email: String,
    /// Their role everywhere.
    pub global_role: GlobalRole,
    /// Since when they are known.
    pub created_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Row {
    id: String,
    name: String,
    email: String,
    global_role: String,
    created_at: Timestamp,
}

impl Store {
    /// Makes a user, who belongs nowhere yet; `None` when the address is taken.
    ///
    /// # Errors
    /// [`Error::Statement`] when the role is unknown.
    #[boxed]
    pub async fn create_user(&self, _system: System, new: NewUser) -> Result<Option<User>, Error> {
        let row = transaction!(self, Administration, |connection| {
            let new = (
                users::id.eq(UserId::new().to_string()),
                users::name.eq(new.name),
                users::email.eq(new.email),
                users::global_role.eq(new.global_role),
            );
            Ok(diesel::insert_into(users::table)
                .values(new)
                .on_conflict_do_nothing()
                .returning(Row::as_returning())
                .get_result::<Row>(connection)
                .await
                .optional()?)
        })?;
        row.map(User::try_from).transpose()
    }

    /// Up to `limit` users in order of age, from the one after `after` on.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn users(
        &self,
        _system: System,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<User>, Error> {
        let after = after.map_or_else(String::new, ToString::to_string);
        let rows = read!(self, Administration, |connection| {
            let users = users::table
                .filter(users::id.gt(after))
                .order(users::id)
                .limit(limit)
                .select(Row::as_select());
            Ok(users.load::<Row>(connection).await?)
        })?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// The user with this address.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn user_by_email(&self, _system: System, email: &str) -> Result<Option<User>, Error> {
        let email = email.to_owned();
        let row = read!(self, Administration, |connection| {
            let user = users::table
                .filter(users::email.eq(email))
                .select(Row::as_select());
            Ok(user.first::<Row>(connection).await.optional()?)
        })?;
        row.map(User::try_from).transpose()
    }

    /// Changes a user's role everywhere, and tells the log of every organization that they belong to. Whether there is
    /// such a user.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn set_global_role(
        &self,
        _system: System,
        actor: &Actor,
        user_id: &UserId,
        role: GlobalRole,
    ) -> Result<bool, Error> {
        let (actor, user) = (actor.clone(), user_id.clone());
        transaction!(self, Administration, |connection| {
            let change =
                diesel::update(users::table.find(user.as_str())).set(users::global_role.eq(role.as_str()));
            if change.execute(connection).await? == 0 {
                return Ok(false);
            }
            let organizations = memberships::table
                .filter(memberships::user_id.eq(user.as_str()))
                .order(memberships::organization_id)
                .select(memberships::organization_id);
            let detail = json!({"role": role.as_str()});
            for organization in organizations.load::<String>(connection).await? {
                let tenant = Tenant(parse("organization id", &organization)?);
                audit::insert(&tenant, &actor, Action::UserSetRole, &user, &detail)
                    .execute(connection)
                    .await?;
            }
            Ok(true)
        })
    }
}

impl TryFrom<Row> for User {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: parse("user id", &row.id)?,
            name: row.name,
            email: row.email,
            global_role: parse("global role", &row.global_role)?,
            created_at: row.created_at.into(),
        })
    }
}
