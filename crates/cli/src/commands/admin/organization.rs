//! `gristmill admin organization`

use clap::Subcommand;
use gristmill_core::OrganizationId;
use gristmill_core::access::Tier;
use gristmill_store::{Actor, NewOrganization, Organization, Store, System, Tenant};
use serde_json::{Value, json};

use super::open::{failed, open};
use super::output::Output;
use super::pages::{PAGE, all};
use crate::commands::Context;
use crate::error::Error;

/// Make and list organizations, and set what they have subscribed to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, and a migrated database.

Examples:
  gristmill admin organization create Acme --tier GROWTH
  gristmill admin organization set-tier org_… ENTERPRISE
  gristmill admin organization list --json | jq -r '.organizations[].id'")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an organization, which has no members yet.
    Create {
        /// What it is called.
        name: String,
        /// FREE, STARTER, GROWTH, ELITE or ENTERPRISE.
        #[arg(long, default_value = "FREE")]
        tier: Tier,
    },
    /// List all organizations, the oldest first.
    List,
    /// Set what an organization has subscribed to. It takes effect within `api.key_ttl`.
    SetTier {
        /// Which organization.
        organization: OrganizationId,
        /// FREE, STARTER, GROWTH, ELITE or ENTERPRISE.
        tier: Tier,
    },
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let store = open(&context, "admin organization").await?;
        self.action.run(&store).await?.print(self.json)
    }
}

impl Action {
    async fn run(self, store: &Store) -> Result<Output, Error> {
        match self {
            Self::Create { name, tier } => {
                let new = NewOrganization {
                    name,
                    tier: tier.to_string(),
                };
                let made = store
                    .create_organization(System, &Actor::OPERATOR, new)
                    .await
                    .map_err(failed)?;
                Ok(Output::Done {
                    text: format!(
                        "organization {} ({}) is made, with tier {tier}",
                        made.name, made.id
                    ),
                    value: json!({"organization": view(&made)}),
                })
            }
            Self::List => list(store).await,
            Self::SetTier { organization, tier } => {
                let tenant = Tenant(organization);
                if !store
                    .set_tier(&tenant, &Actor::OPERATOR, tier)
                    .await
                    .map_err(failed)?
                {
                    return Err(Error::Usage(format!("there is no organization {}", tenant.0)));
                }
                Ok(Output::Done {
                    text: format!("organization {} has tier {tier}", tenant.0),
                    value: json!({"organization": {"id": tenant.0, "tier": tier.as_str()}}),
                })
            }
        }
    }
}

async fn list(store: &Store) -> Result<Output, Error> {
    let organizations = all(
        async |last| store.organizations(System, last, PAGE).await,
        |organization| organization.id.clone(),
    )
    .await?;
    Ok(Output::List {
        name: "organizations",
        columns: &[
            ("ID", "id"),
            ("NAME", "name"),
            ("TIER", "tier"),
            ("CREATED", "createdAt"),
        ],
        rows: organizations.iter().map(view).collect(),
    })
}

fn view(organization: &Organization) -> Value {
    json!({
        "id": organization.id,
        "name": organization.name,
        "tier": organization.tier.as_str(),
        "createdAt": organization.created_at,
    })
}
