use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::facts::reason;

/// A submit, or the relay, sees a workflow paused and makes an execution wait, while the workflow is resumed: no lock
/// keeps them apart, since none should slow a submit down. So whoever resumes starts what it sees, and this is asked again
/// and again for what it did not see. The index has what waits for paused workflows and nothing else; `paused` jumps from
/// workflow to workflow in it.
const RESUME: &str = concat!(
    "WITH RECURSIVE paused (workflow_id) AS (
        SELECT min(workflow_id) FROM executions WHERE waits_for = ",
    reason!(Paused),
    "
        UNION ALL
        SELECT (SELECT min(e.workflow_id) FROM executions e WHERE e.waits_for = ",
    reason!(Paused),
    " AND e.workflow_id > paused.workflow_id)
        FROM paused WHERE paused.workflow_id IS NOT NULL
    ), due AS (
        SELECT found.id FROM paused
        JOIN workflows w ON w.id = paused.workflow_id AND w.paused_at IS NULL AND w.deleted_at IS NULL
        CROSS JOIN LATERAL (
            SELECT e.id FROM executions e WHERE e.workflow_id = w.id AND e.waits_for = ",
    reason!(Paused),
    "
            ORDER BY e.id LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS found
        LIMIT $1
    )
    UPDATE executions e SET status = 'PENDING', waits_for = NULL, wake_at = clock_timestamp()
    FROM due WHERE e.id = due.id"
);

pub(super) async fn resume_paused(pool: &PostgresPool, limit: i64) -> Result<u64, Error> {
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let resume = sql_query(RESUME).bind::<BigInt, _>(limit);
            Ok(Cached(resume).execute(connection).await? as u64)
        })
    })
    .await
}
