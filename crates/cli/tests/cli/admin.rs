//! `gristmill migrate` and `gristmill admin`, on PostgreSQL.

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

/// What a command prints for programs.
async fn done(database: &TestDatabase, arguments: &str) -> Value {
    let done = output(&mut on(database, &format!("{arguments} --json"))).await;
    assert!(done.status.success(), "{arguments}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A key's life, from the organization that it is for to the member's removal that ends it.
#[tokio::test]
async fn organizations_users_members_and_keys_are_administered() {
    let database = TestDatabase::postgres().await;
    let made = done(&database, "admin organization create Acme --tier GROWTH").await;
    let organization = made["organization"]["id"].as_str().unwrap();
    done(&database, "admin user create Ada ada@acme.example --role ADMIN").await;
    let member = format!("{organization} ada@acme.example");
    done(&database, &format!("admin member add {member} --role OWNER")).await;
    let key = done(
        &database,
        &format!("admin key create {member} --scope ai-hub:workflows:execute --expires-in 90d"),
    )
    .await;
    assert!(key["apiKey"].as_str().unwrap().starts_with("gm_"), "{key}");
    assert_eq!(key["key"]["scopes"][0], "ai-hub:workflows:execute");
    assert!(key["key"]["expiresAt"].is_string(), "{key}");

    done(
        &database,
        &format!("admin organization set-tier {organization} ELITE"),
    )
    .await;
    done(&database, "admin user set-role ada@acme.example MODERATOR").await;
    done(&database, &format!("admin member set-role {member} ADMIN")).await;
    let members = done(&database, &format!("admin member list {organization}")).await;
    let member_row = &members["members"][0];
    assert_eq!(
        (&member_row["role"], &member_row["globalRole"]),
        (&"ADMIN".into(), &"MODERATOR".into())
    );
    let table = output(&mut on(&database, &format!("admin key list {organization}"))).await;
    let table = text(&table.stdout);
    assert!(
        table.starts_with("ID") && table.contains("ai-hub:workflows:execute"),
        "{table}"
    );
    let organizations = done(&database, "admin organization list").await;
    assert_eq!(organizations["organizations"][0]["tier"], "ELITE");
    let users = done(&database, "admin user list").await;
    assert_eq!(users["users"][0]["email"], "ada@acme.example");

    let id = key["key"]["id"].as_str().unwrap();
    done(&database, &format!("admin key revoke {organization} {id}")).await;
    done(&database, &format!("admin key create {member}")).await;
    let removed = done(&database, &format!("admin member remove {member}")).await;
    assert_eq!(removed["removed"]["apiKeys"], 1);
    let keys = done(&database, &format!("admin key list {organization}")).await;
    assert_eq!(keys["keys"], serde_json::json!([]));

    for (wrong, part) in [
        (format!("admin key create {member}"), "no member"),
        (format!("admin member remove {member}"), "no member"),
        ("admin user create Bob ada@acme.example".to_owned(), "already"),
        (
            format!("admin member add {organization} bob@acme.example"),
            "no user",
        ),
        (
            "admin organization set-tier org_none FREE".to_owned(),
            "no organization",
        ),
        (
            format!("admin organization set-tier {organization} GOLD"),
            "FREE, STARTER, GROWTH, ELITE, ENTERPRISE",
        ),
        (format!("admin key revoke {organization} key_none"), "has no key"),
    ] {
        let refused = output(&mut on(&database, &wrong)).await;
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
        assert!(
            text(&refused.stderr).contains(part),
            "{wrong}: {}",
            text(&refused.stderr)
        );
    }
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
