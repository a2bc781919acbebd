//! An organization, its owner and an API key: made by `admin bootstrap`, or kept in the data directory.

mod key_file;

use std::path::Path;

use gristmill_api::ApiKey;
use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, UserId, boxed};
use gristmill_store::{Actor, NewApiKey, NewOrganization, NewUser, Owner, Store, System, Tenant};

use crate::Error;

/// An organization and how to call the API on its behalf.
pub struct Account {
    /// The organization.
    pub tenant: Tenant,
    /// Its owner.
    pub user: UserId,
    /// The owner's API key, in full: the database has its hash only.
    pub key: String,
}

/// The API key's file within a data directory.
pub const KEY_FILE: &str = "api-key";

/// Whoever sets the system up may do everything in the organization, without limits.
const TIER: &str = "ENTERPRISE";
const GLOBAL_ROLE: &str = "ADMIN";

/// Makes an organization, its owner and an API key.
///
/// # Errors
/// When the database does not take them: another user has the address, for one.
#[boxed]
pub async fn create_account(store: &Store, organization: &str, email: &str) -> Result<Account, Error> {
    let key = ApiKey::generate();
    let owner = create_owner(store, organization, email, &key).await?;
    Ok(account(owner, key))
}

/// The account whose key stands in the data directory; makes what is missing of it, and keeps its key there. `shared`
/// says that others use the database, too: then their organizations are left alone.
///
/// # Errors
/// When the data directory or the database cannot be used.
#[boxed]
pub async fn ready_account(store: &Store, data_dir: &Path, shared: bool) -> Result<Account, Error> {
    let path = data_dir.join(KEY_FILE);
    let kept = key_file::read(&path)?.and_then(ApiKey::from_text);
    if let Some(key) = &kept {
        let found = store.api_key_by_hash(System, &key.hash).await.map_err(failed)?;
        if let Some(found) = found {
            let owner = Owner {
                organization_id: found.organization_id,
                user_id: found.user_id,
            };
            return Ok(account(owner, key.clone()));
        }
    }
    let key = kept.unwrap_or_else(ApiKey::generate);
    // Before the database knows the key: a key that nobody knows can be made known at the next start, while one that
    // nobody wrote down is lost.
    key_file::write(&path, &key.key)?;
    let known = if shared {
        None
    } else {
        store.first_organization(System).await.map_err(failed)?
    };
    let owner = match known {
        Some(owner) => {
            let tenant = Tenant(owner.organization_id.clone());
            store
                .add_api_key(&tenant, &Actor::OPERATOR, &owner.user_id, new_key(&key))
                .await
                .map_err(failed)?;
            owner
        }
        None => {
            create_owner(
                store,
                "Development",
                &format!("{}@localhost", UserId::new()),
                &key,
            )
            .await?
        }
    };
    Ok(account(owner, key))
}

async fn create_owner(store: &Store, organization: &str, email: &str, key: &ApiKey) -> Result<Owner, Error> {
    let organization = NewOrganization {
        name: organization.to_owned(),
        tier: TIER.to_owned(),
    };
    let user = NewUser {
        name: "Owner".to_owned(),
        email: email.to_owned(),
        global_role: GLOBAL_ROLE.to_owned(),
    };
    store
        .bootstrap(System, organization, user, new_key(key))
        .await
        .map_err(failed)
}

fn new_key(key: &ApiKey) -> NewApiKey {
    let ApiKey { prefix, hash, .. } = key.clone();
    NewApiKey {
        id: ApiKeyId::new(),
        name: "first key".to_owned(),
        prefix,
        hash,
        scopes: Scopes::ALL,
        expires_at: None,
    }
}

fn account(owner: Owner, key: ApiKey) -> Account {
    Account {
        tenant: Tenant(owner.organization_id),
        user: owner.user_id,
        key: key.key,
    }
}

fn failed(source: gristmill_store::Error) -> Error {
    Error::Store {
        doing: "setting up the organization",
        source,
    }
}
