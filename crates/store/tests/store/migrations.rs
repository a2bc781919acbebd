//! Both schemas: that each can be taken back, and that they are twins.

use std::collections::BTreeSet;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel::{Connection, SqliteConnection};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use gristmill_testkit::TestDatabase;

use crate::raw;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

const SQLITE_SCHEMA: &str = "
    SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS value FROM sqlite_schema
    WHERE name NOT LIKE '%diesel%' ORDER BY value";

const POSTGRES_SCHEMA: &str = "
    SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
        AS value FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '%diesel%'
    UNION SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION SELECT tablename || ' ' || policyname || ' ' || cmd || ' ' || array_to_string(roles, ',') || ' ' || qual
        FROM pg_policies WHERE schemaname = 'public'
    UNION SELECT relname || ' is secured' FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND (relrowsecurity OR relforcerowsecurity)
    UNION SELECT grantee || ' ' || privilege_type || ' ' || table_name FROM information_schema.role_table_grants
        WHERE table_schema = 'public' AND grantee LIKE 'gristmill\\_%'
    UNION SELECT grantee || ' ' || privilege_type || ' ' || table_name || ' ' || column_name
        FROM information_schema.role_column_grants WHERE table_schema = 'public' AND grantee LIKE 'gristmill\\_%'
    UNION SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY value";

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_schema_is_the_same_after_up_down_up() {
    let db = TestDatabase::sqlite().await;
    let path = raw::sqlite_path(&db).unwrap();
    let up = raw::texts(&db, SQLITE_SCHEMA).await;
    let mut connection = SqliteConnection::establish(path).unwrap();
    connection.revert_all_migrations(SQLITE).unwrap();
    assert_eq!(raw::texts(&db, SQLITE_SCHEMA).await, []);
    connection.run_pending_migrations(SQLITE).unwrap();
    assert_eq!(raw::texts(&db, SQLITE_SCHEMA).await, up);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_schema_is_the_same_after_up_down_up() {
    let db = TestDatabase::postgres().await;
    let up = raw::texts(&db, POSTGRES_SCHEMA).await;
    redo_postgres(&db, |connection| {
        connection.revert_all_migrations(POSTGRES).map(|_| ())
    })
    .await;
    let left = raw::texts(&db, POSTGRES_SCHEMA).await.into_iter().flatten();
    assert_eq!(
        left.filter(|line| !line.contains("diesel")).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    redo_postgres(&db, |connection| {
        connection.run_pending_migrations(POSTGRES).map(|_| ())
    })
    .await;
    assert_eq!(raw::texts(&db, POSTGRES_SCHEMA).await, up);
}

async fn redo_postgres<F>(db: &TestDatabase, redo: F)
where
    F: FnOnce(&mut AsyncConnectionWrapper<AsyncPgConnection>) -> diesel::migration::Result<()>
        + Send
        + 'static,
{
    let connection = AsyncPgConnection::establish(db.url()).await.unwrap();
    let redone = tokio::task::spawn_blocking(move || redo(&mut connection.into()).map_err(|e| e.to_string()));
    redone.await.unwrap().unwrap();
}

#[test]
fn both_databases_have_the_same_migrations() {
    assert_eq!(names::<Pg>(POSTGRES), names::<Sqlite>(SQLITE));
}

fn names<DB: diesel::backend::Backend>(source: EmbeddedMigrations) -> Vec<String> {
    let migrations = MigrationSource::<DB>::migrations(&source).unwrap();
    migrations
        .iter()
        .map(|migration| migration.name().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_columns() {
    let postgres = "SELECT table_name || '.' || column_name || ' ' || is_nullable AS value
                    FROM information_schema.columns WHERE table_schema = 'public'";
    let sqlite = "SELECT t.name || '.' || c.name || ' ' || iif(c.\"notnull\", 'NO', 'YES') AS value
                  FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'";
    assert_twins(postgres, sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_named_indexes() {
    let postgres = "SELECT indexname::text AS value FROM pg_indexes
                    WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)";
    let sqlite = "SELECT name AS value FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    assert_twins(postgres, sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_catalogue() {
    let templates =
        "SELECT id || name || description || search_text || category || tags || definition AS value
                     FROM workflow_templates WHERE is_shared AND organization_id IS NULL";
    assert_twins(templates, templates).await;
}

/// SQLite lists no constraints, only the text that they were written in.
#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_named_constraints() {
    let named = "SELECT conname || ' ' || contype::text AS value FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace AND conname ~ '_(is|has|iff)_'";
    let postgres = set(&TestDatabase::postgres().await, named).await;
    let tables = set(
        &TestDatabase::sqlite().await,
        "SELECT sql AS value FROM sqlite_schema",
    )
    .await;
    let mut sqlite: BTreeSet<_> = tables.iter().flat_map(|sql| constraints(sql)).collect();
    // Taken away where many write at a time; SQLite would have to write four tables anew for it.
    assert!(sqlite.remove("executions_organization_id_is_part_of_the_key u"));
    assert!(postgres.len() > 8, "{postgres:?}");
    assert_eq!(postgres, sqlite);
}

fn constraints(sql: &str) -> Vec<String> {
    let words: Vec<_> = sql.split_whitespace().collect();
    let named = words.windows(3).filter(|words| words[0] == "CONSTRAINT");
    named
        .map(|words| format!("{} {}", words[1], words[2][..1].to_lowercase()))
        .collect()
}

async fn assert_twins(postgres: &str, sqlite: &str) {
    let postgres = set(&TestDatabase::postgres().await, postgres).await;
    let sqlite = set(&TestDatabase::sqlite().await, sqlite).await;
    assert!(!postgres.is_empty());
    assert_eq!(postgres, sqlite);
}

async fn set(db: &TestDatabase, sql: &str) -> BTreeSet<String> {
    let lines = raw::texts(db, sql).await.into_iter().flatten();
    lines.filter(|line| !line.contains("diesel")).collect()
}
