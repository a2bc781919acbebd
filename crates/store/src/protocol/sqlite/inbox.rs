//! Inbox: the messages of an execution.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use gristmill_core::ExecutionId;

use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Error, Received};

const INBOX: &str = "
    SELECT seq, name, body FROM execution_inbox
    WHERE execution_id = ?1 AND seq > ?2
    ORDER BY seq";

pub(super) async fn inbox(pool: &SqlitePool, id: &ExecutionId, after: i64) -> Result<Vec<Received>, Error> {
    let query = sql_query(INBOX)
        .bind::<Text, _>(id.as_str().to_owned())
        .bind::<BigInt, _>(after);
    let rows: Vec<Row> = pool
        .read_blocking(move |connection| Ok(Cached(query).load(connection)?))
        .await?;
    Ok(rows
        .into_iter()
        .map(|Row { seq, name, body }| Received { seq, name, body })
        .collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    body: String,
}
