use diesel::QueryableByName;
use diesel::sql_types::Double;
use diesel_async::RunQueryDsl;

use super::parts::jobs::duration;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Backlog;

/// The index of unfinished executions begins with the organization, and in it with what is PENDING, oldest first: `active`
/// jumps from organization to organization in it, and the first few of each are looked at. When they were created does not
/// matter, for some have waited for days for their start or a signal: what counts is since when they can be claimed. The
/// first confirm of a PENDING is as long before the latest as the pauses in between, which `confirm` makes; what was not
/// published since it fell due has waited since then.
const BACKLOG: &str = "
    WITH RECURSIVE active (organization_id, nth) AS (
        SELECT min(organization_id), 1 FROM executions WHERE completed_at IS NULL
        UNION ALL
        SELECT (
            SELECT min(e.organization_id) FROM executions e
            WHERE e.completed_at IS NULL AND e.organization_id > active.organization_id
        ), nth + 1
        FROM active WHERE active.organization_id IS NOT NULL AND nth < 1000
    )
    SELECT
        coalesce((
            SELECT max(
                CASE first.publishes - (first.published_at IS NOT NULL)::int
                    WHEN 0 THEN 0 WHEN 1 THEN 300 WHEN 2 THEN 1200 WHEN 3 THEN 3900 WHEN 4 THEN 12000 ELSE 36300
                END + extract(epoch FROM clock_timestamp() - coalesce(first.published_at, least(first.wake_at, clock_timestamp())))
            )
            FROM active CROSS JOIN LATERAL (
                SELECT e.publishes, e.published_at, e.wake_at FROM executions e
                WHERE e.organization_id = active.organization_id AND e.status = 'PENDING' AND e.completed_at IS NULL
                ORDER BY e.created_at LIMIT 10
            ) AS first
        ), 0)::float8 AS oldest_pending,
        coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(wake_at) FROM executions)), 0)::float8 AS relay_lag";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Double)]
    oldest_pending: f64,
    #[diesel(sql_type = Double)]
    relay_lag: f64,
}

pub(super) async fn backlog(pool: &PostgresPool) -> Result<Backlog, Error> {
    let row = pool.run_as_system(|connection| {
        Box::pin(async move { Ok(Cached(sql_query(BACKLOG)).get_result::<Row>(connection).await?) })
    });
    let row = row.await?;
    Ok(Backlog {
        oldest_pending: duration(row.oldest_pending),
        relay_lag: duration(row.relay_lag),
    })
}
