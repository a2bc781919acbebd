//! Database: a database for one test, gone when the test is.

mod postgres;

use gristmill_store::{Options, Store};

/// An empty, migrated database with an open store. Dropping it drops the database, after a panic too.
pub struct TestDatabase {
    store: Store,
    url: String,
    /// What takes the database away when it is dropped; after the store, which has connections to it.
    _place: Box<dyn Send + Sync>,
}

impl TestDatabase {
    /// A new database on the server of `DATABASE_URL`, whose user must be a superuser.
    ///
    /// # Panics
    /// When `DATABASE_URL` is not set or the server does not answer.
    pub async fn postgres() -> Self {
        let database = postgres::create().await;
        let url = database.url().to_owned();
        Self {
            store: open(&url),
            url,
            _place: Box::new(database),
        }
    }

    /// A new file in a directory of its own.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("no temporary directory");
        let url = format!("sqlite:{}", directory.path().join("gristmill.db").display());
        let store = open(&url);
        store
            .migrate()
            .await
            .expect("the new database cannot be migrated");
        Self {
            store,
            url,
            _place: Box::new(directory),
        }
    }

    /// The store, opened with the default options.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where the database is, as a store's options take it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn open(url: &str) -> Store {
    Store::open(Options::new(url)).expect("the new database cannot be opened")
}
