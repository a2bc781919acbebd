//! Unpublish lane: a lane whose queue is gone.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;

/// `wake_at IS NOT NULL` is true of every PENDING row, and says which index leads to them. What is due and unpublished
/// already is not counted again.
const UNPUBLISH: &str = concat!(
    "UPDATE executions SET published_at = NULL, publishes = 0, wake_at = ",
    now!(),
    "
     WHERE wake_at IS NOT NULL AND status = 'PENDING' AND lane = ?1
         AND (published_at IS NOT NULL OR wake_at > ",
    now!(),
    ")"
);

pub(super) async fn unpublish_lane(pool: &SqlitePool, lane: &str) -> Result<u64, Error> {
    let query = sql_query(UNPUBLISH).bind::<Text, _>(lane.to_owned());
    let rows = pool
        .transaction_blocking(move |connection| Ok(Cached(query).execute(connection)?))
        .await?;
    Ok(rows as u64)
}
