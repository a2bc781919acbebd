//! Renew: a little longer.

use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use gristmill_core::ExecutionId;

use super::parts::values::{list, micros};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;

/// A renewal that was under way when the relay reaped the lease must not lengthen the next holder's, and must not tell
/// this one that it still holds.
const RENEW: &str = concat!(
    "UPDATE executions SET wake_at = ",
    now!(),
    " + ?2
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(?1)) AS holding
     WHERE executions.id = holding.id AND executions.attempt = holding.attempt AND status = 'RUNNING'
     RETURNING id"
);

pub(super) async fn renew(
    pool: &SqlitePool,
    holdings: &[(ExecutionId, i32)],
    lease: Duration,
) -> Result<Vec<ExecutionId>, Error> {
    let holdings = list(holdings)?;
    pool.transaction_blocking(move |connection| {
        let query = sql_query(RENEW)
            .bind::<Text, _>(holdings)
            .bind::<BigInt, _>(micros(lease));
        let rows: Vec<Row> = Cached(query).load(connection)?;
        rows.iter().map(|row| parse("execution id", &row.id)).collect()
    })
    .await
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
}
