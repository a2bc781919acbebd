use diesel::sql_types::{Array, BigInt, Double, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionStatus;

use super::parts::jobs::seconds;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::{Keep, Retention};

/// Each workflow and status is one stretch of the index, oldest end first, so that nothing is looked at that is kept. An
/// operator may be retrying, reading or deleting a row right now: what is locked is left to a later round. A child stays
/// for as long as its parent is unfinished: the parent's holder, asking for this path's child once more, would make
/// another. A null length is for ever.
const PRUNE: &str = "
    WITH ended AS (
        SELECT found.id FROM workflows w
        CROSS JOIN unnest($1::text[], $2::float8[]) AS kept (status, seconds)
        CROSS JOIN LATERAL (
            SELECT coalesce(
                CASE kept.status
                    WHEN 'COMPLETED' THEN w.retain_completed_days
                    WHEN 'FAILED' THEN w.retain_failed_days
                    ELSE w.retain_cancelled_days
                END * 86400.0, nullif(kept.seconds, 'infinity')
            ) AS seconds
        ) AS own
        CROSS JOIN LATERAL (
            SELECT e.id FROM executions e
            WHERE e.workflow_id = w.id AND e.status = kept.status
                AND e.completed_at < clock_timestamp() - make_interval(secs => own.seconds)
                AND NOT EXISTS (
                    SELECT FROM executions p WHERE p.id = e.parent_execution_id AND p.completed_at IS NULL
                )
            ORDER BY e.completed_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ) AS found
        LIMIT $3
    )
    DELETE FROM executions e USING ended WHERE e.id = ended.id";

pub(super) async fn prune(pool: &PostgresPool, retention: &Retention, limit: i64) -> Result<u64, Error> {
    let kept = [
        (ExecutionStatus::Completed, retention.completed),
        (ExecutionStatus::Failed, retention.failed),
        (ExecutionStatus::Cancelled, retention.cancelled),
    ];
    let (statuses, lengths): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .map(|(status, keep)| match keep {
            Keep::For(length) => (status.as_str(), seconds(length)),
            Keep::Forever => (status.as_str(), f64::INFINITY),
        })
        .unzip();
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let prune = sql_query(PRUNE)
                .bind::<Array<Text>, _>(statuses)
                .bind::<Array<Double>, _>(lengths)
                .bind::<BigInt, _>(limit);
            Ok(Cached(prune).execute(connection).await? as u64)
        })
    })
    .await
}
