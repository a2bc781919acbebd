//! `gristmill admin key`

use chrono::TimeDelta;
use clap::Subcommand;
use gristmill_api::ApiKey;
use gristmill_core::access::{Permission, Scopes};
use gristmill_core::{ApiKeyId, OrganizationId};
use gristmill_store::{Actor, KeyRecord, NewApiKey, Revoked, Store, Tenant};
use serde_json::{Value, json};

use super::open::{failed, open, user};
use super::output::Output;
use super::pages::{PAGE, all};
use crate::commands::Context;
use crate::config::Time;
use crate::error::Error;

/// Make, list and revoke an organization's API keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, and a migrated database. A user is named by id or by address.

Examples:
  gristmill admin key create org_… ada@acme.example --name producer --scope ai-hub:workflows:execute --expires-in 90d
  gristmill admin key list org_…
  gristmill admin key revoke org_… key_…")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key for a member. It is printed once and stored as a hash only.
    Create {
        /// For which organization.
        organization: OrganizationId,
        /// For which member.
        user: String,
        /// What the key is called.
        #[arg(long, default_value = "made by an operator")]
        name: String,
        /// Narrow the key to a permission of its owner's, such as ai-hub:workflows:execute. May be repeated.
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Vec<Permission>,
        /// When the key ends, from now: 12h, 90d.
        #[arg(long, value_name = "TIME")]
        expires_in: Option<Time>,
    },
    /// List an organization's keys, the newest first.
    List {
        /// Which organization.
        organization: OrganizationId,
    },
    /// End a key. It takes effect within `api.key_ttl`.
    Revoke {
        /// Of which organization.
        organization: OrganizationId,
        /// Which key.
        key: ApiKeyId,
    },
}

/// Longer than any key is needed, and far from the end of the calendar.
const LONGEST: TimeDelta = TimeDelta::days(100 * 365);

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let store = open(&context, "admin key").await?;
        self.action.run(&store).await?.print(self.json)
    }
}

impl Action {
    async fn run(self, store: &Store) -> Result<Output, Error> {
        match self {
            Self::Create {
                organization,
                user,
                name,
                scopes,
                expires_in,
            } => create(store, Tenant(organization), &user, name, &scopes, expires_in).await,
            Self::List { organization } => list(store, &Tenant(organization)).await,
            Self::Revoke { organization, key } => {
                let revoked = store
                    .revoke_api_key(&Tenant(organization.clone()), &Actor::OPERATOR, &key, None)
                    .await
                    .map_err(failed)?;
                let text = match revoked {
                    Revoked::Yes => format!("key {key} is revoked"),
                    Revoked::Already => format!("key {key} was revoked before"),
                    Revoked::Unknown => {
                        return Err(Error::Usage(format!(
                            "organization {organization} has no key {key}"
                        )));
                    }
                };
                Ok(Output::Done {
                    text,
                    value: json!({"key": {"id": key, "revoked": true}}),
                })
            }
        }
    }
}

async fn create(
    store: &Store,
    tenant: Tenant,
    named: &str,
    name: String,
    scopes: &[Permission],
    expires_in: Option<Time>,
) -> Result<Output, Error> {
    let user = user(store, named).await?;
    let now = store.now().await.map_err(failed)?;
    let ApiKey { key, prefix, hash } = ApiKey::generate();
    let new = NewApiKey {
        id: ApiKeyId::new(),
        name,
        prefix,
        hash,
        scopes: if scopes.is_empty() {
            Scopes::ALL
        } else {
            Scopes::only(scopes.iter().copied())
        },
        expires_at: expires_in.map(|time| now + TimeDelta::from_std(time.0).unwrap_or(LONGEST).min(LONGEST)),
    };
    let made = store
        .add_api_key(&tenant, &Actor::OPERATOR, &user, new)
        .await
        .map_err(failed)?;
    let made = made.ok_or_else(|| {
        Error::Usage(format!(
            "user {user} is no member of {}; `gristmill admin member add` makes one",
            tenant.0
        ))
    })?;
    Ok(Output::Done {
        text: format!(
            "API key {key} ({})\nThe key is shown this once. Send it as: Authorization: Bearer {key}",
            made.id
        ),
        value: json!({"key": view(&made), "apiKey": key}),
    })
}

async fn list(store: &Store, tenant: &Tenant) -> Result<Output, Error> {
    let keys = all(
        async |last| store.api_keys(tenant, None, last, PAGE).await,
        |key| key.id.clone(),
    )
    .await?;
    Ok(Output::List {
        name: "keys",
        columns: &[
            ("ID", "id"),
            ("NAME", "name"),
            ("PREFIX", "prefix"),
            ("USER", "userId"),
            ("SCOPES", "scopes"),
            ("LAST USED", "lastUsedAt"),
            ("EXPIRES", "expiresAt"),
            ("REVOKED", "revokedAt"),
        ],
        rows: keys.iter().map(view).collect(),
    })
}

fn view(key: &KeyRecord) -> Value {
    json!({
        "id": key.id,
        "userId": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes.names(),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    })
}
