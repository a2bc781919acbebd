//! A new start of the one process: nobody runs anything, and the in-process broker is empty.

use diesel::RunQueryDsl;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;

/// Unguarded: the lock on the directory says that there is no other process whose leases these could be.
const RECOVER: &str = concat!(
    "UPDATE executions SET
         published_at = NULL,
         publishes = 0,
         wake_at = CASE status WHEN 'RUNNING' THEN started_at ELSE ",
    now!(),
    " END
     WHERE wake_at IS NOT NULL AND status IN ('PENDING', 'RUNNING')"
);

pub(super) async fn recover(pool: &SqlitePool) -> Result<u64, Error> {
    let rows = pool
        .transaction_blocking(|connection| Ok(Cached(sql_query(RECOVER)).execute(connection)?))
        .await?;
    Ok(rows as u64)
}
