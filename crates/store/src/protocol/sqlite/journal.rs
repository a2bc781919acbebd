//! Journal: what happened inside executions so far.

use std::collections::HashMap;

use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, RunQueryDsl};
use gristmill_core::ExecutionId;

use super::parts::values::list;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Chunk, Error};

const JOURNAL: &str = "
    SELECT execution_id, seq, format, body FROM execution_journal
    WHERE execution_id IN (SELECT value FROM json_each(?1))
    ORDER BY execution_id, seq";

pub(super) async fn journal(
    pool: &SqlitePool,
    ids: &[ExecutionId],
) -> Result<Vec<(ExecutionId, Vec<Chunk>)>, Error> {
    let wanted = list(ids)?;
    let rows: Vec<Row> = pool
        .read_blocking(move |connection| {
            Ok(Cached(sql_query(JOURNAL).bind::<Text, _>(wanted)).load(connection)?)
        })
        .await?;
    let mut chunks: HashMap<String, Vec<Chunk>> = HashMap::new();
    for Row {
        execution_id,
        seq,
        format,
        body,
    } in rows
    {
        chunks
            .entry(execution_id)
            .or_default()
            .push(Chunk { seq, format, body });
    }
    Ok(ids
        .iter()
        .map(|id| (id.clone(), chunks.remove(id.as_str()).unwrap_or_default()))
        .collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    execution_id: String,
    #[diesel(sql_type = Integer)]
    seq: i32,
    #[diesel(sql_type = Integer)]
    format: i32,
    #[diesel(sql_type = Text)]
    body: String,
}
