//! PostgreSQL: PostgreSQL databases, cloned from a template that is migrated once: a clone takes milliseconds.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use gristmill_store::{Options, Store};
use url::Url;
use uuid::Uuid;

/// What test processes take turns with while one of them makes the template: "testkit" in ASCII.
const LOCK: i64 = 0x0074_6573_746b_6974;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");

/// A database that is dropped with this value.
pub(super) struct Database {
    server: Url,
    name: String,
    url: String,
}

/// Clones the template.
pub(super) async fn create() -> Database {
    let server = server();
    let mut connection = connect(&server).await;
    let template = prepare_template(&server, &mut connection).await;
    // Whose it is can be seen, should it ever stay behind.
    let name = format!(
        "gristmill_test_{}_{}",
        std::process::id(),
        Uuid::new_v4().simple()
    );
    execute(
        &mut connection,
        &format!("CREATE DATABASE {name} TEMPLATE {template}"),
    )
    .await;
    Database {
        url: database_url(&server, &name),
        server,
        name,
    }
}

impl Database {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    /// FORCE ends the connections that the store still has. On a thread of its own, because the test's runtime may be
    /// on its way down.
    fn drop(&mut self) {
        let server = self.server.clone();
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("no runtime").block_on(async {
                execute(&mut connect(&server).await, &drop).await;
            });
        });
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("the database {} could not be dropped", self.name);
        }
    }
}

fn server() -> Url {
    let url = std::env::var("DATABASE_URL").expect(
        "DATABASE_URL is not set: run ./scripts/test, or eval \"$(scripts/services env)\" for a single test",
    );
    Url::parse(&url).expect("DATABASE_URL is not a URL")
}

/// The name says which migrations it has, so that a changed one makes another template.
async fn prepare_template(server: &Url, connection: &mut AsyncPgConnection) -> String {
    let template = format!("gristmill_template_{:016x}", migrations_hash());
    execute(connection, &format!("SELECT pg_advisory_lock({LOCK})")).await;
    // A template whose maker died half way is not marked as one.
    let marked = format!("EXISTS (SELECT FROM pg_database WHERE datname = '{template}' AND datistemplate)");
    let marked = diesel::select(sql::<Bool>(&marked))
        .get_result::<bool>(connection)
        .await;
    if !marked.expect("the server does not list its databases") {
        execute(
            connection,
            &format!("DROP DATABASE IF EXISTS {template} WITH (FORCE)"),
        )
        .await;
        execute(connection, &format!("CREATE DATABASE {template}")).await;
        let store = Store::open(Options::new(database_url(server, &template)));
        store
            .expect("the template cannot be opened")
            .migrate()
            .await
            .expect("the template cannot be migrated");
        execute(connection, &format!("ALTER DATABASE {template} IS_TEMPLATE true")).await;
    }
    execute(connection, &format!("SELECT pg_advisory_unlock({LOCK})")).await;
    template
}

fn migrations_hash() -> u64 {
    let mut files = BTreeMap::new();
    for migration in fs::read_dir(MIGRATIONS).expect("no migrations") {
        let up = migration.expect("no migration").path().join("up.sql");
        files.insert(up.clone(), read(&up));
    }
    let mut hasher = DefaultHasher::new();
    for sql in files.values() {
        sql.hash(&mut hasher);
    }
    hasher.finish()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a migration cannot be read")
}

fn database_url(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.into()
}

async fn connect(server: &Url) -> AsyncPgConnection {
    AsyncPgConnection::establish(server.as_str())
        .await
        .expect("the server of DATABASE_URL does not answer")
}

async fn execute(connection: &mut AsyncPgConnection, sql: &str) {
    if let Err(error) = connection.batch_execute(sql).await {
        panic!("{sql}: {error}");
    }
}
