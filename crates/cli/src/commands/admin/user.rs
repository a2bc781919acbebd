//! `gristmill admin user`

use clap::Subcommand;
use gristmill_core::access::GlobalRole;
use gristmill_store::{Actor, NewUser, Store, System, User};
use serde_json::{Value, json};

use super::open::{failed, open, user};
use super::output::Output;
use super::pages::{PAGE, all};
use crate::commands::Context;
use crate::error::Error;

/// Make and list users, and set their role everywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, and a migrated database. A user is named by id or by address.

Examples:
  gristmill admin user create Ada ada@acme.example
  gristmill admin user set-role ada@acme.example ADMIN
  gristmill admin user list --json | jq -r '.users[].email'")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a user, who belongs to no organization yet.
    Create {
        /// What they are called.
        name: String,
        /// Their address; no two users have the same.
        email: String,
        /// SUPER_ADMIN, ADMIN, MODERATOR or USER.
        #[arg(long, default_value = "USER")]
        role: GlobalRole,
    },
    /// List all users, the oldest first.
    List,
    /// Set a user's role everywhere. It takes effect within `api.key_ttl`.
    SetRole {
        /// Which user.
        user: String,
        /// SUPER_ADMIN, ADMIN, MODERATOR or USER.
        role: GlobalRole,
    },
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let store = open(&context, "admin user").await?;
        self.action.run(&store).await?.print(self.json)
    }
}

impl Action {
    async fn run(self, store: &Store) -> Result<Output, Error> {
        match self {
            Self::Create { name, email, role } => {
                let new = NewUser {
                    name,
                    email: email.clone(),
                    global_role: role.to_string(),
                };
                let made = store.create_user(System, new).await.map_err(failed)?;
                let made = made.ok_or_else(|| {
                    Error::Usage(format!(
                        "there is a user {email} already, and no two have the same address"
                    ))
                })?;
                Ok(Output::Done {
                    text: format!("user {email} ({}) is made, with role {role}", made.id),
                    value: json!({"user": view(&made)}),
                })
            }
            Self::List => list(store).await,
            Self::SetRole { user: named, role } => {
                let id = user(store, &named).await?;
                let changed = store
                    .set_global_role(System, &Actor::OPERATOR, &id, role)
                    .await
                    .map_err(failed)?;
                if !changed {
                    return Err(Error::Usage(format!("there is no user {id}")));
                }
                Ok(Output::Done {
                    text: format!("user {id} has role {role}"),
                    value: json!({"user": {"id": id, "role": role.as_str()}}),
                })
            }
        }
    }
}

async fn list(store: &Store) -> Result<Output, Error> {
    let users = all(
        async |last| store.users(System, last, PAGE).await,
        |user| user.id.clone(),
    )
    .await?;
    Ok(Output::List {
        name: "users",
        columns: &[
            ("ID", "id"),
            ("NAME", "name"),
            ("EMAIL", "email"),
            ("ROLE", "role"),
            ("CREATED", "createdAt"),
        ],
        rows: users.iter().map(view).collect(),
    })
}

fn view(user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.global_role.as_str(),
        "createdAt": user.created_at,
    })
}
