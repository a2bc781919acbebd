//! Watch: how executions stand.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use gristmill_core::ExecutionId;

use super::parts::values::list;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::protocol::rows::watched_row::WatchedRow;
use crate::{Error, Watched};

const WATCH: &str = "
    SELECT id, status, attempt, claim_token, inbox, journal_len FROM executions
    WHERE id IN (SELECT value FROM json_each(?1))";

pub(super) async fn watch(pool: &SqlitePool, ids: &[ExecutionId]) -> Result<Vec<Watched>, Error> {
    let ids = list(ids)?;
    pool.read_blocking(move |connection| {
        let rows: Vec<WatchedRow> = Cached(sql_query(WATCH).bind::<Text, _>(ids)).load(connection)?;
        rows.into_iter().map(WatchedRow::into_watched).collect()
    })
    .await
}
