use diesel::sql_types::{Array, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::columns;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;

/// A job is often claimed before its confirm gets here. Without the guard the confirm would then push away the lease's
/// end, or mark a later PENDING, whose own job was never published, as published. A locked row is being claimed right
/// now, so it is skipped; should that claim fail, the relay publishes once more than needed. So is one that is due: it
/// was handed back, or its queue was lost, after the broker confirmed, and its message is gone.
const CONFIRM: &str = "
    WITH locked AS (
        SELECT e.id
        FROM executions e JOIN unnest($1::text[], $2::int[]) AS job (id, attempt)
            ON job.id = e.id AND job.attempt = e.attempt
        WHERE e.status = 'PENDING' AND e.wake_at > clock_timestamp() ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
    )
    UPDATE executions e SET
        published_at = clock_timestamp(), publishes = e.publishes + 1,
        wake_at = least(clock_timestamp() + interval '5 minutes' * power(3, least(e.publishes, 4)), e.deadline)
    FROM locked WHERE e.id = locked.id";

pub(super) async fn confirm(pool: &PostgresPool, jobs: &[(ExecutionId, i32)]) -> Result<(), Error> {
    let (ids, attempts) = columns(jobs);
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let confirm = sql_query(CONFIRM)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Integer>, _>(attempts);
            Cached(confirm).execute(connection).await?;
            Ok(())
        })
    })
    .await
}
