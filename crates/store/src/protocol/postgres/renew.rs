use std::time::Duration;

use diesel::sql_types::{Array, Double, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::{IdRow, columns, seconds};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::PostgresPool;

/// A renewal that was on its way while the lease ran out must not lengthen the next holder's. A locked row is being
/// written by its holder or taken by the relay; waiting for it would hold up the renewal of all the others.
const RENEW: &str = "
    WITH locked AS (
        SELECT e.id
        FROM executions e JOIN unnest($1::text[], $2::int[]) AS held (id, attempt)
            ON held.id = e.id AND held.attempt = e.attempt
        WHERE e.status = 'RUNNING' ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
    )
    UPDATE executions e SET wake_at = clock_timestamp() + make_interval(secs => $3)
    FROM locked WHERE e.id = locked.id
    RETURNING e.id";

pub(super) async fn renew(
    pool: &PostgresPool,
    holdings: &[(ExecutionId, i32)],
    lease: Duration,
) -> Result<Vec<ExecutionId>, Error> {
    let (ids, attempts) = columns(holdings);
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let renew = sql_query(RENEW)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Integer>, _>(attempts)
                .bind::<Double, _>(seconds(lease));
            Ok(Cached(renew).load::<IdRow>(connection).await?)
        })
    });
    rows.await?
        .iter()
        .map(|row| parse("execution id", &row.id))
        .collect()
}
