//! `gristmill migrate` and `gristmill admin bootstrap`, on PostgreSQL.

use gristmill_testkit::TestDatabase;
use serde_json::Value;

use crate::gristmill::{gristmill, output, text};

fn on(database: &TestDatabase, arguments: &str) -> tokio::process::Command {
    let mut command = gristmill();
    command
        .env("DATABASE_URL", database.url())
        .args(arguments.split(' '));
    command
}

#[tokio::test]
async fn migrating_again_finds_nothing_to_do() {
    let database = TestDatabase::postgres().await;
    let migrated = output(&mut on(&database, "migrate")).await;
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    assert!(
        text(&migrated.stderr).contains("up to date"),
        "{}",
        text(&migrated.stderr)
    );
}

#[tokio::test]
async fn the_first_organization_is_made_once() {
    let database = TestDatabase::postgres().await;
    let made = output(&mut on(&database, "admin bootstrap --organization Acme --json")).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(
        made["organizationId"].as_str().unwrap().starts_with("org_"),
        "{made}"
    );
    assert!(made["apiKey"].as_str().unwrap().starts_with("gm_"), "{made}");

    let again = output(&mut on(&database, "admin bootstrap --organization Acme")).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(again.stdout.is_empty());
    assert!(text(&again.stderr).contains("--force"), "{}", text(&again.stderr));

    let forced = output(&mut on(
        &database,
        "admin bootstrap --organization Other --email other@localhost --force",
    ))
    .await;
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    assert!(text(&forced.stdout).contains("gm_"));
}

#[tokio::test]
async fn a_database_that_is_away_is_told_with_what_to_check() {
    let command = &mut gristmill();
    let command = command
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .arg("migrate");
    let failed = output(command).await;
    assert_eq!(failed.status.code(), Some(1));
    let message = text(&failed.stderr);
    assert!(
        message.contains("caused by: ") && message.contains("DATABASE_URL"),
        "{message}"
    );
}
