//! Raw: SQL past the store, for what only time or trouble would bring about.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use gristmill_store::{Options, connect_postgres};
use gristmill_testkit::TestDatabase;

/// Runs statements that both databases understand.
pub(crate) async fn execute(db: &TestDatabase, sql: &str) {
    if let Some(path) = db.url().strip_prefix("sqlite:") {
        let mut connection = SqliteConnection::establish(path).unwrap();
        connection.batch_execute(sql).unwrap();
    } else {
        let connection = connect_postgres(&Options::new(db.url())).await.unwrap();
        connection.batch_execute(sql).await.unwrap();
    }
}
