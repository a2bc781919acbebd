//! Open: what the administration's commands begin with.

use gristmill_core::UserId;
use gristmill_server::open_store;
use gristmill_store::{Store, System};

use crate::commands::Context;
use crate::distributed;
use crate::error::Error;

/// The configured database, of this version.
///
/// # Errors
/// When there is none, or its schema is another version's.
pub(super) async fn open(context: &Context, command: &'static str) -> Result<Store, Error> {
    let config = &context.loaded.config;
    distributed::require_database(config, command)?;
    let store = open_store(config.database_options("gristmill-admin"))?;
    store.check_schema().await.map_err(failed)?;
    Ok(store)
}

/// Who is meant: an id is taken as it is, an address is looked up.
///
/// # Errors
/// [`Error::Usage`] when nobody has the address.
pub(super) async fn user(store: &Store, named: &str) -> Result<UserId, Error> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let found = store.user_by_email(System, named).await.map_err(failed)?;
    found.map(|user| user.id).ok_or_else(|| {
        Error::Usage(format!(
            "there is no user `{named}`: name an id, user_…, or an address out of `gristmill admin user list`"
        ))
    })
}

pub(super) fn failed(source: gristmill_store::Error) -> Error {
    Error::Store {
        doing: "the administration",
        source,
    }
}
