//! Watched row: what watching reads of an execution.

use diesel::{Queryable, QueryableByName, Selectable};

use crate::connection::parse::parse;
use crate::connection::sql_types::Token;
use crate::schema::executions;
use crate::{Error, Watched};

/// A watched row, by Diesel's own statement or a written one.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = executions)]
pub(crate) struct WatchedRow {
    id: String,
    status: String,
    attempt: i32,
    claim_token: Option<Token>,
    inbox: i32,
    journal_len: i32,
}

impl WatchedRow {
    pub(crate) fn into_watched(self) -> Result<Watched, Error> {
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
