//! Confirm: the broker has the job.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use gristmill_core::ExecutionId;

use super::parts::values::list;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;

/// The confirm may come after a worker has claimed the job, or ended it, or after a later publish: only a row that is
/// still PENDING at the published attempt has its clock moved. Otherwise a lease would be lengthened by minutes. One that
/// is due is left to the relay: it was handed back, or its queue was lost, since, and its message is gone.
const CONFIRM: &str = concat!(
    "UPDATE executions SET
         published_at = ",
    now!(),
    ",
         publishes = publishes + 1,
         wake_at = min(",
    now!(),
    " + 300000000 * CASE publishes WHEN 0 THEN 1 WHEN 1 THEN 3 WHEN 2 THEN 9 WHEN 3 THEN 27 ELSE 81 END,
             coalesce(deadline, 9223372036854775807))
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(?1)) AS job
     WHERE executions.id = job.id AND executions.attempt = job.attempt AND status = 'PENDING'
         AND wake_at > ",
    now!()
);

pub(super) async fn confirm(pool: &SqlitePool, jobs: &[(ExecutionId, i32)]) -> Result<(), Error> {
    let jobs = list(jobs)?;
    pool.transaction_blocking(move |connection| {
        Cached(sql_query(CONFIRM).bind::<Text, _>(jobs)).execute(connection)?;
        Ok(())
    })
    .await
}
