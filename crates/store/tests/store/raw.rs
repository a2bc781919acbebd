//! Raw: SQL past the store, for arranging what only time would bring about, and for looking at what no function shows.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use gristmill_core::ExecutionId;
use gristmill_testkit::TestDatabase;

type AsyncSqlite = SyncConnectionWrapper<diesel::SqliteConnection>;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The file of a SQLite database.
pub(crate) fn sqlite_path(db: &TestDatabase) -> Option<&str> {
    db.url().strip_prefix("sqlite:")
}

/// Runs statements that both databases understand.
pub(crate) async fn execute(db: &TestDatabase, sql: &str) {
    match sqlite_path(db) {
        Some(path) => AsyncSqlite::establish(path)
            .await
            .unwrap()
            .batch_execute(sql)
            .await
            .unwrap(),
        None => AsyncPgConnection::establish(db.url())
            .await
            .unwrap()
            .batch_execute(sql)
            .await
            .unwrap(),
    }
}

/// Every row of a query whose one column is called `value` and is text.
pub(crate) async fn texts(db: &TestDatabase, sql: &str) -> Vec<Option<String>> {
    let query = diesel::sql_query(sql);
    let rows: Vec<Row> = match sqlite_path(db) {
        Some(path) => query
            .load(&mut AsyncSqlite::establish(path).await.unwrap())
            .await
            .unwrap(),
        None => query
            .load(&mut AsyncPgConnection::establish(db.url()).await.unwrap())
            .await
            .unwrap(),
    };
    rows.into_iter().map(|row| row.value).collect()
}

/// Until `sql`, whose one column is called `value`, answers with this text.
pub(crate) async fn wait_for(db: &TestDatabase, sql: &str, value: &str) {
    while texts(db, sql).await != [Some(value.to_owned())] {
        tokio::task::yield_now().await;
    }
}

/// One column of one execution, as text.
pub(crate) async fn column(db: &TestDatabase, id: &ExecutionId, column: &str) -> Option<String> {
    let sql = format!("SELECT CAST({column} AS text) AS value FROM executions WHERE id = '{id}'");
    texts(db, &sql).await.remove(0)
}

/// How many seconds from now the execution's clock strikes; negative when it has.
pub(crate) async fn wakes_in(db: &TestDatabase, id: &ExecutionId) -> Option<f64> {
    let seconds = match sqlite_path(db) {
        Some(_) => "wake_at / 1e6 - unixepoch('subsec')",
        None => "extract(epoch FROM wake_at - clock_timestamp())",
    };
    column(db, id, seconds).await.map(|text| text.parse().unwrap())
}

/// Sets the execution's clock to so many seconds ago.
pub(crate) async fn make_due(db: &TestDatabase, id: &ExecutionId, seconds_ago: u32) {
    let past = match sqlite_path(db) {
        Some(_) => format!("CAST((unixepoch('subsec') - {seconds_ago}) * 1000000 AS integer)"),
        None => format!("clock_timestamp() - interval '{seconds_ago} seconds'"),
    };
    execute(
        db,
        &format!("UPDATE executions SET wake_at = {past} WHERE id = '{id}'"),
    )
    .await;
}

/// Whether `seconds` is `expected`, give or take a slow machine.
pub(crate) fn about(seconds: Option<f64>, expected: f64) -> bool {
    seconds.is_some_and(|seconds| (seconds - expected).abs() < 10.0)
}
