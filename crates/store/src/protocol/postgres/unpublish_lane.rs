use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;

/// How many rows one statement marks: a backlog of millions must not meet the statement timeout.
const BATCH: i64 = 10_000;

/// A row that is claimed in the meantime had a job after all. One that is due already is skipped, so that each batch
/// finds other rows than the one before. The condition on `wake_at` that every PENDING row meets is for the planner:
/// it makes the relay's small index do.
const UNPUBLISH: &str = "
    WITH locked AS (
        SELECT id FROM executions
        WHERE wake_at IS NOT NULL AND lane = $1 AND status = 'PENDING'
            AND (published_at IS NOT NULL OR wake_at > (SELECT clock_timestamp()))
        ORDER BY id LIMIT $2 FOR UPDATE
    )
    UPDATE executions e SET published_at = NULL, publishes = 0, wake_at = clock_timestamp()
    FROM locked WHERE e.id = locked.id";

pub(super) async fn unpublish_lane(pool: &PostgresPool, lane: &str) -> Result<u64, Error> {
    let mut marked = 0;
    loop {
        let batch = unpublish_batch(pool, lane.to_owned()).await?;
        marked += batch;
        if batch < BATCH.unsigned_abs() {
            return Ok(marked);
        }
    }
}

async fn unpublish_batch(pool: &PostgresPool, lane: String) -> Result<u64, Error> {
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let unpublish = sql_query(UNPUBLISH)
                .bind::<Text, _>(lane)
                .bind::<BigInt, _>(BATCH);
            Ok(Cached(unpublish).execute(connection).await? as u64)
        })
    })
    .await
}
