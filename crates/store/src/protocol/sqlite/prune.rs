//! Prune: what ended long enough ago.

use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Nullable, Text};
use gristmill_core::ExecutionStatus;

use super::parts::values::micros;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Error, Keep, Retention};

/// Each workflow and status is one stretch of the index: CROSS JOIN keeps the planner from another order. A child stays
/// for as long as its parent is unfinished: the parent's holder, asking for this path's child once more, would make
/// another. A null length is for ever.
const PRUNE: &str = concat!(
    "DELETE FROM executions WHERE id IN (
         SELECT e.id FROM workflows AS w CROSS JOIN executions AS e
         WHERE e.workflow_id = w.id AND e.status = ?1 AND e.completed_at < ",
    now!(),
    " - coalesce(CASE ?1
                 WHEN 'COMPLETED' THEN w.retain_completed_days
                 WHEN 'FAILED' THEN w.retain_failed_days
                 ELSE w.retain_cancelled_days
             END * 86400000000, ?2)
             AND NOT EXISTS (
                 SELECT 1 FROM executions AS p WHERE p.id = e.parent_execution_id AND p.completed_at IS NULL
             )
         LIMIT ?3
     )"
);

pub(super) async fn prune(pool: &SqlitePool, retention: &Retention, limit: i64) -> Result<u64, Error> {
    let kept = [
        (ExecutionStatus::Completed, retention.completed),
        (ExecutionStatus::Failed, retention.failed),
        (ExecutionStatus::Cancelled, retention.cancelled),
    ];
    pool.transaction_blocking(move |connection| {
        let mut pruned = 0;
        for (status, keep) in kept {
            let length = match keep {
                Keep::For(length) => Some(micros(length)),
                Keep::Forever => None,
            };
            let query = sql_query(PRUNE)
                .bind::<Text, _>(status.as_str())
                .bind::<Nullable<BigInt>, _>(length)
                .bind::<BigInt, _>(limit - pruned);
            pruned += Cached(query).execute(connection)? as i64;
        }
        Ok(pruned.unsigned_abs())
    })
    .await
}
