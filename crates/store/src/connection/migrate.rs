//! Migrate: migrations, embedded in the binary.

use std::collections::HashSet;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl, QueryableByName};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::Error;
use crate::connection::pool::Pools;
use crate::connection::postgres::PostgresPool;
use crate::connection::scope::Administration;

/// What PostgreSQL needs.
pub(crate) const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
/// What SQLite needs.
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// The advisory lock that migrating processes take turns with: "gristmil" in ASCII, so that it is nobody else's.
const LOCK: i64 = 0x6772_6973_746d_696c;

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    tables: i64,
}

/// The versions that the database has, if it has a table of them at all.
macro_rules! applied {
    ($connection:ident, $tables:ident) => {
        async move {
            let Tables { tables } = diesel::sql_query($tables).get_result($connection).await?;
            if tables == 0 {
                return Ok(HashSet::new());
            }
            let versions = __diesel_schema_migrations::table.select(__diesel_schema_migrations::version);
            Ok(versions
                .load::<String>($connection)
                .await?
                .into_iter()
                .collect::<HashSet<_>>())
        }
    };
}

/// Runs what is missing.
pub(crate) async fn run(pools: &Pools) -> Result<(), Error> {
    match pools {
        Pools::Postgres(pool) => run_postgres(pool).await,
        Pools::Sqlite(pool) => pool.migrate(SQLITE).await,
    }
}

/// The names of what is missing. Reads only: the role that asks may have no right to create anything.
pub(crate) async fn pending(pools: &Pools) -> Result<Vec<String>, Error> {
    const POSTGRES_TABLES: &str = "SELECT count(to_regclass('__diesel_schema_migrations')) AS tables";
    const SQLITE_TABLES: &str =
        "SELECT count(*) AS tables FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
    let applied = match pools {
        Pools::Postgres(pool) => {
            // As the user, who is there before the roles are.
            pool.read_in(Administration, |connection| {
                Box::pin(applied!(connection, POSTGRES_TABLES))
            })
            .await?
        }
        Pools::Sqlite(pool) => {
            pool.read(|connection| Box::pin(applied!(connection, SQLITE_TABLES)))
                .await?
        }
    };
    let known = match pools {
        Pools::Postgres(_) => names::<Pg>(POSTGRES)?,
        Pools::Sqlite(_) => names::<Sqlite>(SQLITE)?,
    };
    Ok(known
        .into_iter()
        .filter(|(version, _)| !applied.contains(version))
        .map(|(_, name)| name)
        .collect())
}

/// Each migration's version and name, oldest first.
fn names<DB: diesel::backend::Backend>(source: EmbeddedMigrations) -> Result<Vec<(String, String)>, Error> {
    let migrations = MigrationSource::<DB>::migrations(&source).map_err(Error::Migrate)?;
    let mut names: Vec<_> = migrations
        .iter()
        .map(|migration| {
            (
                migration.name().version().to_string(),
                migration.name().to_string(),
            )
        })
        .collect();
    names.sort();
    Ok(names)
}

async fn run_postgres(pool: &PostgresPool) -> Result<(), Error> {
    let connection = pool.connect_unlimited().await?;
    // The harness blocks its thread.
    tokio::task::spawn_blocking(move || migrate_locked(connection))
        .await
        .map_err(Error::Task)?
}

/// Closing the connection gives the lock back, whatever happens in between.
fn migrate_locked(connection: AsyncPgConnection) -> Result<(), Error> {
    let mut connection: AsyncConnectionWrapper<AsyncPgConnection> = connection.into();
    diesel::connection::SimpleConnection::batch_execute(
        &mut connection,
        &format!("SELECT pg_advisory_lock({LOCK})"),
    )?;
    for version in connection
        .run_pending_migrations(POSTGRES)
        .map_err(Error::Migrate)?
    {
        tracing::info!(migration.version = %version, "migrated");
    }
    Ok(())
}
