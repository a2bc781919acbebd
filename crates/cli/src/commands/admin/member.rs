//! `gristmill admin member`

use clap::Subcommand;
use gristmill_core::OrganizationId;
use gristmill_core::access::OrganizationRole;
use gristmill_store::{Actor, Admitted, Member, Store, Tenant};
use serde_json::{Value, json};

use super::open::{failed, open, user};
use super::output::Output;
use crate::commands::Context;
use crate::error::Error;

/// Add, list and remove an organization's members, and set their roles in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, and a migrated database. A user is named by id or by address.

Examples:
  gristmill admin member add org_… ada@acme.example --role ADMIN
  gristmill admin member list org_…
  gristmill admin member remove org_… ada@acme.example")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a user a member.
    Add {
        /// Of which organization.
        organization: OrganizationId,
        /// Which user.
        user: String,
        /// OWNER, ADMIN or MEMBER.
        #[arg(long, default_value = "MEMBER")]
        role: OrganizationRole,
    },
    /// List an organization's members, the oldest first.
    List {
        /// Which organization.
        organization: OrganizationId,
    },
    /// Set a member's role in the organization. It takes effect within `api.key_ttl`.
    SetRole {
        /// In which organization.
        organization: OrganizationId,
        /// Which member.
        user: String,
        /// OWNER, ADMIN or MEMBER.
        role: OrganizationRole,
    },
    /// Remove a member, and all of their API keys. What they made stays.
    Remove {
        /// From which organization.
        organization: OrganizationId,
        /// Which member.
        user: String,
    },
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let store = open(&context, "admin member").await?;
        self.action.run(&store).await?.print(self.json)
    }
}

impl Action {
    async fn run(self, store: &Store) -> Result<Output, Error> {
        match self {
            Self::Add {
                organization,
                user: named,
                role,
            } => {
                let (tenant, user) = (Tenant(organization), user(store, &named).await?);
                let added = store
                    .add_member(&tenant, &Actor::OPERATOR, &user, role)
                    .await
                    .map_err(failed)?;
                match added {
                    Admitted::Yes => Ok(Output::Done {
                        text: format!("user {user} is a member of {}, with role {role}", tenant.0),
                        value: json!({"member": {"userId": user, "role": role.as_str()}}),
                    }),
                    Admitted::Already => Err(Error::Usage(format!(
                        "user {user} is a member of {} already; `gristmill admin member set-role` changes the role",
                        tenant.0
                    ))),
                    Admitted::Unknown => Err(Error::Usage(format!(
                        "there is no organization {}, or no user {user}",
                        tenant.0
                    ))),
                }
            }
            Self::List { organization } => list(store, &Tenant(organization)).await,
            Self::SetRole {
                organization,
                user: named,
                role,
            } => {
                let (tenant, user) = (Tenant(organization), user(store, &named).await?);
                let changed = store
                    .set_member_role(&tenant, &Actor::OPERATOR, &user, role)
                    .await
                    .map_err(failed)?;
                if !changed {
                    return Err(Error::Usage(format!("user {user} is no member of {}", tenant.0)));
                }
                Ok(Output::Done {
                    text: format!("user {user} has role {role} in {}", tenant.0),
                    value: json!({"member": {"userId": user, "role": role.as_str()}}),
                })
            }
            Self::Remove {
                organization,
                user: named,
            } => {
                let (tenant, user) = (Tenant(organization), user(store, &named).await?);
                let removed = store.remove_member(&tenant, &Actor::OPERATOR, &user).await;
                let Some(keys) = removed.map_err(failed)? else {
                    return Err(Error::Usage(format!("user {user} is no member of {}", tenant.0)));
                };
                Ok(Output::Done {
                    text: format!(
                        "user {user} is no member of {} any more, and {keys} API key(s) work no more",
                        tenant.0
                    ),
                    value: json!({"removed": {"userId": user, "apiKeys": keys}}),
                })
            }
        }
    }
}

async fn list(store: &Store, tenant: &Tenant) -> Result<Output, Error> {
    let members = store.members(tenant).await.map_err(failed)?;
    Ok(Output::List {
        name: "members",
        columns: &[
            ("USER", "userId"),
            ("NAME", "name"),
            ("EMAIL", "email"),
            ("ROLE", "role"),
            ("ROLE EVERYWHERE", "globalRole"),
            ("SINCE", "createdAt"),
        ],
        rows: members.iter().map(view).collect(),
    })
}

fn view(member: &Member) -> Value {
    json!({
        "userId": member.user_id,
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "globalRole": member.global_role.as_str(),
        "createdAt": member.created_at,
    })
}
