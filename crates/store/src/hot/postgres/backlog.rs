use diesel::sql_types::Double;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::jobs::duration;
use crate::Error;
use crate::cached::Cached;
use crate::postgres_pool::PostgresPool;
use crate::protocol::Backlog;

const BACKLOG: &str = "
    SELECT
        coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE status = 'PENDING')), 0)::float8
            AS oldest_pending,
        coalesce(extract(epoch FROM clock_timestamp() - min(wake_at)), 0)::float8 AS relay_lag
    FROM (
        SELECT status, created_at, wake_at FROM executions WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1000
    ) AS first";

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
