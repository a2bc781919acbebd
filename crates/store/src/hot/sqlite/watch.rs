//! How executions stand.

use diesel::sql_types::{Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use gristmill_core::ExecutionId;

use super::values::list;
use crate::cached::Cached;
use crate::parse::parse;
use crate::sql_types::{Token, Uuid};
use crate::sqlite_pool::SqlitePool;
use crate::{Error, Watched};

const WATCH: &str = "
    SELECT id, status, attempt, claim_token, inbox, journal_len FROM executions
    WHERE id IN (SELECT value FROM json_each(?1))";

pub(super) async fn watch(pool: &SqlitePool, ids: &[ExecutionId]) -> Result<Vec<Watched>, Error> {
    let ids = list(ids)?;
    pool.read_blocking(move |connection| {
        let rows: Vec<Row> = Cached(sql_query(WATCH).bind::<Text, _>(ids)).load(connection)?;
        rows.into_iter().map(Row::into_watched).collect()
    })
    .await
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Nullable<Uuid>)]
    claim_token: Option<Token>,
    #[diesel(sql_type = Integer)]
    inbox: i32,
    #[diesel(sql_type = Integer)]
    journal_len: i32,
}

impl Row {
    fn into_watched(self) -> Result<Watched, Error> {
        Ok(Watched {
            id: parse("execution id", &self.id)?,
            status: parse("execution status", &self.status)?,
            attempt: self.attempt,
            claim_token: self.claim_token.map(Into::into),
            inbox: self.inbox,
            journal_len: self.journal_len,
        })
    }
}
