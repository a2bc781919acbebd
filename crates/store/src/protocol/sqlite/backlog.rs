//! Backlog: how much waits.

use diesel::sql_types::{BigInt, Nullable};
use diesel::{QueryableByName, RunQueryDsl};

use super::parts::values::length;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Backlog, Error};

/// The index of unfinished executions begins with the organization, and in it with what is PENDING, oldest first: `active`
/// jumps from organization to organization in it, and the first few of each are looked at. When they were created does not
/// matter, for some have waited for days for their start or a signal: what counts is since when they can be claimed. The
/// first confirm of a PENDING is as long before the latest as the pauses in between, which `confirm` makes; what was not
/// published since it fell due has waited since then.
const BACKLOG: &str = concat!(
    "WITH RECURSIVE active (organization_id, nth) AS (
         SELECT min(organization_id), 1 FROM executions WHERE completed_at IS NULL
         UNION ALL
         SELECT (
             SELECT min(e.organization_id) FROM executions AS e
             WHERE e.completed_at IS NULL AND e.organization_id > active.organization_id
         ), nth + 1
         FROM active WHERE active.organization_id IS NOT NULL AND nth < 1000
     )
     SELECT
         (SELECT max(age) FROM (
             SELECT (SELECT max(
                 CASE first.publishes - (first.published_at IS NOT NULL)
                     WHEN 0 THEN 0 WHEN 1 THEN 300 WHEN 2 THEN 1200 WHEN 3 THEN 3900 WHEN 4 THEN 12000 ELSE 36300
                 END * 1000000 + ",
    now!(),
    " - coalesce(first.published_at, min(first.wake_at, ",
    now!(),
    "))
             ) FROM (
                 SELECT e.publishes, e.published_at, e.wake_at FROM executions AS e
                 WHERE e.organization_id = active.organization_id AND e.status = 'PENDING' AND e.completed_at IS NULL
                 ORDER BY e.created_at LIMIT 10
             ) AS first) AS age FROM active
         )) AS oldest_pending, ",
    now!(),
    " - (SELECT min(wake_at) FROM executions WHERE wake_at IS NOT NULL) AS relay_lag"
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
