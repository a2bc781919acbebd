use diesel::sql_types::{Array, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::columns;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;

/// The job may be a copy: where another worker has claimed the execution through the other one, there is nothing to give
/// back, and the guard leaves its lease alone. `publishes` begins anew: that the job came proves that publishing works,
/// and a job handed back again and again must not push the relay's next look days away.
const RETURN_JOBS: &str = "
    WITH locked AS (
        SELECT e.id
        FROM executions e JOIN unnest($1::text[], $2::int[]) AS job (id, attempt)
            ON job.id = e.id AND job.attempt = e.attempt
        WHERE e.status = 'PENDING' ORDER BY e.id FOR UPDATE OF e
    )
    UPDATE executions e SET published_at = NULL, publishes = 0, wake_at = clock_timestamp()
    FROM locked WHERE e.id = locked.id";

pub(super) async fn return_jobs(pool: &PostgresPool, jobs: &[(ExecutionId, i32)]) -> Result<(), Error> {
    let (ids, attempts) = columns(jobs);
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let return_jobs = sql_query(RETURN_JOBS)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Integer>, _>(attempts);
            Cached(return_jobs).execute(connection).await?;
            Ok(())
        })
    })
    .await
}
