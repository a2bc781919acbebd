//! How much waits.

use diesel::sql_types::{BigInt, Nullable};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::values::length;
use crate::cached::Cached;
use crate::sqlite_pool::SqlitePool;
use crate::{Backlog, Error};

const BACKLOG: &str = concat!(
    "SELECT
         max(CASE status WHEN 'PENDING' THEN ",
    now!(),
    " - created_at END) AS oldest_pending, ",
    now!(),
    " - min(wake_at) AS relay_lag
     FROM (
         SELECT status, created_at, wake_at FROM executions
         WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1000
     )"
);

pub(super) async fn backlog(pool: &SqlitePool) -> Result<Backlog, Error> {
    let row: Row = pool
        .read_blocking(|connection| Ok(Cached(sql_query(BACKLOG)).get_result(connection)?))
        .await?;
    Ok(Backlog {
        oldest_pending: length(row.oldest_pending.unwrap_or(0)),
        relay_lag: length(row.relay_lag.unwrap_or(0)),
    })
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest_pending: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    relay_lag: Option<i64>,
}
