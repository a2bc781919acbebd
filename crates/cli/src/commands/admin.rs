//! `gristmill admin`

mod bootstrap;

use clap::Subcommand;

use super::Context;
use crate::error::Error;

/// Set up what the API cannot: the first organization.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bootstrap(bootstrap::Args),
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        match self.command {
            Command::Bootstrap(args) => args.run(context).await,
        }
    }
}
