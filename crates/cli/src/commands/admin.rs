//! `gristmill admin`

mod bootstrap;
mod key;
mod member;
mod open;
mod organization;
mod output;
mod pages;
mod user;

use clap::Subcommand;

use super::Context;
use crate::error::Error;

/// Administer organizations, users, members and API keys, in the database itself.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bootstrap(bootstrap::Args),
    Organization(organization::Args),
    User(user::Args),
    Member(member::Args),
    Key(key::Args),
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        match self.command {
            Command::Bootstrap(args) => args.run(context).await,
            Command::Organization(args) => args.run(context).await,
            Command::User(args) => args.run(context).await,
            Command::Member(args) => args.run(context).await,
            Command::Key(args) => args.run(context).await,
        }
    }
}
