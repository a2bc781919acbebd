//! `gristmill migrate`

use gristmill_server::open_store;

use super::Context;
use crate::distributed;
use crate::error::Error;

/// Bring the database's schema up to date.
///
/// Safe to run at any time, by any number of processes: the first one works, the others find nothing left to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs DATABASE_URL, of a role that may create tables and roles.

Example:
  DATABASE_URL=postgres://gristmill@localhost/gristmill gristmill migrate")]
pub struct Args {}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let config = context.loaded.config;
        distributed::require_database(&config, "migrate")?;
        let store = open_store(config.database_options("gristmill-migrate"))?;
        let failed = |source| Error::Store {
            doing: "migrating the database",
            source,
        };
        let pending = store.pending_migrations().await.map_err(failed)?;
        store.migrate().await.map_err(failed)?;
        if pending.is_empty() {
            eprintln!("The schema is up to date.");
        }
        for name in pending {
            eprintln!("migrated: {name}");
        }
        Ok(())
    }
}
