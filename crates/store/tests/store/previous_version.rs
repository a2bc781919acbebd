//! Migrations run while processes of the version before go on: what that version says to PostgreSQL must still do the
//! same. SQLite has one process, which migrates before it does anything else.

use std::collections::BTreeMap;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use gristmill_core::ExecutionId;
use gristmill_store::{Options, Store, Tenant};
use serde::Deserialize;

use crate::tenancy::User;

/// Recorded by `scripts/record-statements`; the name is that of the newest migration which the version knew.
const RECORDED: &str = include_str!("../previous/2026-11-25-040000.json");

#[derive(Deserialize)]
struct Recorded {
    organization: String,
    /// How each one stood in the end.
    executions: BTreeMap<String, String>,
    statements: Vec<String>,
    /// Which statement, with which parameters.
    calls: Vec<(usize, Vec<Option<String>>)>,
}

/// It takes no role, and its user is whoever migrates: no superuser in many places, whom row-level security would let pass.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_version_before_says_still_does_the_same() {
    let user = User::new("CREATEROLE").await;
    let db = user.own_database().await;
    let store = Store::open(Options::new(&db.url)).unwrap();
    store.migrate().await.unwrap();
    let recorded: Recorded = serde_json::from_str(RECORDED).unwrap();
    let mut connection = AsyncPgConnection::establish(&db.url).await.unwrap();
    for (place, (statement, parameters)) in recorded.calls.iter().enumerate() {
        let sql = with_parameters(&recorded.statements[*statement], parameters);
        let done = connection.batch_execute(&sql).await;
        done.unwrap_or_else(|error| panic!("call {place}: {error}\n{sql}"));
    }
    // And this version reads what that one wrote.
    let tenant = Tenant(recorded.organization.parse().unwrap());
    for (id, expected) in &recorded.executions {
        let id: ExecutionId = id.parse().unwrap();
        let found = store.execution(&tenant, &id).await.unwrap();
        let found = found.unwrap_or_else(|| panic!("{id} is not there"));
        assert_eq!(found.status.as_str(), expected, "{id}");
    }
    drop((store, connection));
    db.drop().await;
    user.drop().await;
}

/// The statement with each `$n` written out.
fn with_parameters(statement: &str, parameters: &[Option<String>]) -> String {
    let mut parts = statement.split('$');
    let mut sql = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap();
        match &parameters[number - 1] {
            None => sql.push_str("NULL"),
            Some(value) => sql.push_str(&format!("'{}'", value.replace('\'', "''"))),
        }
        sql.push_str(&part[digits..]);
    }
    sql
}
