//! Resume paused: held for a paused workflow → PENDING, once that is resumed.

use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::protocol::facts::reason;

/// The index has what waits for paused workflows and nothing else; `paused` jumps from workflow to workflow in it.
const RESUME: &str = concat!(
    "WITH RECURSIVE paused (workflow_id) AS (
         SELECT min(workflow_id) FROM executions WHERE waits_for = ",
    reason!(Paused),
    "
         UNION ALL
         SELECT (SELECT min(e.workflow_id) FROM executions AS e WHERE e.waits_for = ",
    reason!(Paused),
    " AND e.workflow_id > paused.workflow_id)
         FROM paused WHERE paused.workflow_id IS NOT NULL
     )
     UPDATE executions SET status = 'PENDING', waits_for = NULL, wake_at = ",
    now!(),
    " WHERE id IN (
         SELECT e.id FROM paused CROSS JOIN workflows AS w CROSS JOIN executions AS e
         WHERE w.id = paused.workflow_id AND w.paused_at IS NULL AND w.deleted_at IS NULL AND e.workflow_id = w.id AND e.waits_for = ",
    reason!(Paused),
    "
         LIMIT ?1
     )"
);

pub(super) async fn resume_paused(pool: &SqlitePool, limit: i64) -> Result<u64, Error> {
    pool.transaction_blocking(move |connection| {
        let resume = sql_query(RESUME).bind::<BigInt, _>(limit);
        Ok(Cached(resume).execute(connection)? as u64)
    })
    .await
}
