use diesel_async::RunQueryDsl;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;

/// No guard but the status: the caller is the only process, so whoever held these is gone.
const RECOVER: &str = "
    WITH locked AS (
        SELECT id FROM executions
        WHERE wake_at IS NOT NULL AND status IN ('PENDING', 'RUNNING') ORDER BY id FOR UPDATE
    )
    UPDATE executions e SET
        published_at = NULL, publishes = 0,
        wake_at = CASE e.status WHEN 'RUNNING' THEN e.started_at ELSE clock_timestamp() END
    FROM locked WHERE e.id = locked.id";

pub(super) async fn recover(pool: &PostgresPool) -> Result<u64, Error> {
    pool.run_as_system(|connection| {
        Box::pin(async move { Ok(Cached(sql_query(RECOVER)).execute(connection).await? as u64) })
    })
    .await
}
