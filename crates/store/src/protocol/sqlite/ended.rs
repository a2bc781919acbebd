//! Ended: how executions ended.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use gristmill_core::ExecutionId;

use super::parts::values::list;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::protocol::rows::ended_row::EndedRow;
use crate::{Ended, Error};

const ENDED: &str = "
    SELECT id, workflow_id, revision, status, attempt, error, nodes_executed, tokens_used, cost_micros,
        created_at, started_at, completed_at
    FROM executions WHERE id IN (SELECT value FROM json_each(?1)) AND completed_at IS NOT NULL";

pub(super) async fn ended(pool: &SqlitePool, ids: &[ExecutionId]) -> Result<Vec<Ended>, Error> {
    let ids = list(ids)?;
    pool.read_blocking(move |connection| {
        let rows: Vec<EndedRow> = Cached(sql_query(ENDED).bind::<Text, _>(ids)).load(connection)?;
        rows.into_iter().map(EndedRow::into_ended).collect()
    })
    .await
}
