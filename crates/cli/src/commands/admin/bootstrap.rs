//! `gristmill admin bootstrap`

use std::io::Write;

use gristmill_server::{Account, create_account, open_store};
use gristmill_store::System;
use serde_json::json;

use crate::commands::Context;
use crate::distributed;
use crate::error::Error;

/// Make the first organization, its owner and an API key.
///
/// The key is printed once and stored as a hash only. Refused when there is an organization already, unless --force.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, and a migrated database.

Examples:
  gristmill admin bootstrap --organization Acme --email ada@acme.example
  KEY=$(gristmill admin bootstrap --organization Acme --json | jq -r .apiKey)")]
pub struct Args {
    /// The organization's name.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// The owner's address; no two users have the same.
    #[arg(long, value_name = "EMAIL", default_value = "owner@localhost")]
    email: String,
    /// Make one more although there are organizations already.
    #[arg(long)]
    force: bool,
    /// Print a JSON object, for scripts.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let config = context.loaded.config;
        distributed::require_database(&config, "admin bootstrap")?;
        let store = open_store(config.database_options("gristmill-admin"))?;
        let failed = |source| Error::Store {
            doing: "making the organization",
            source,
        };
        store.check_schema().await.map_err(failed)?;
        if !self.force && store.first_organization(System).await.map_err(failed)?.is_some() {
            return Err(Error::Usage(
                "there is an organization already, and this command is for the first one.\n\
                 Make one more with --force and another --email."
                    .to_owned(),
            ));
        }
        let account = create_account(&store, &self.organization, &self.email).await?;
        let text = if self.json {
            self.json(&account)
        } else {
            self.text(&account)
        };
        writeln!(std::io::stdout(), "{text}")
            .map_err(|source| Error::Pipe("cannot write the API key", source))
    }

    fn json(&self, account: &Account) -> String {
        let Account { tenant, user, key } = account;
        json!({"organizationId": tenant.0, "organization": self.organization, "userId": user, "email": self.email, "apiKey": key})
            .to_string()
    }

    fn text(&self, account: &Account) -> String {
        let Account { tenant, user, key } = account;
        format!(
            "organization  {} ({})\nowner         {} ({user})\nAPI key       {key}\n\
             The key is shown this once. Send it as: Authorization: Bearer {key}",
            self.organization, tenant.0, self.email
        )
    }
}
