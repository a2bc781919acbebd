//! Return jobs: prefetched jobs that this worker will not get to.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use gristmill_core::ExecutionId;

use super::parts::values::list;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;

/// A doubled job may have been claimed by another worker while this one kept its copy: what runs stays running.
/// `publishes` begins anew: that the job came proves that publishing works.
const RETURN_JOBS: &str = concat!(
    "UPDATE executions SET published_at = NULL, publishes = 0, wake_at = ",
    now!(),
    "
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(?1)) AS job
     WHERE executions.id = job.id AND executions.attempt = job.attempt AND status = 'PENDING'"
);

pub(super) async fn return_jobs(pool: &SqlitePool, jobs: &[(ExecutionId, i32)]) -> Result<(), Error> {
    let jobs = list(jobs)?;
    pool.transaction_blocking(move |connection| {
        Cached(sql_query(RETURN_JOBS).bind::<Text, _>(jobs)).execute(connection)?;
        Ok(())
    })
    .await
}
