//! Which executions are due, and how they stand.

use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use gristmill_core::Job;

use super::super::values::length;
use crate::cached::Cached;
use crate::parse::parse;
use crate::{Due, Error};

const DUE: &str = concat!(
    "SELECT id, organization_id, attempt, lane, status, published_at IS NOT NULL AS published, losses, ",
    now!(),
    " - wake_at AS late
     FROM executions
     WHERE wake_at <= ",
    now!(),
    " AND (status <> 'RUNNING' OR ?2)
     ORDER BY wake_at
     LIMIT ?1"
);

/// The due executions, most overdue first.
pub(super) fn load(connection: &mut SqliteConnection, limit: i64, reap: bool) -> Result<Vec<Due>, Error> {
    let query = sql_query(DUE).bind::<BigInt, _>(limit).bind::<Bool, _>(reap);
    let rows: Vec<Row> = Cached(query).load(connection)?;
    rows.into_iter().map(Row::into_due).collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    published: bool,
    #[diesel(sql_type = Integer)]
    losses: i32,
    #[diesel(sql_type = BigInt)]
    late: i64,
}

impl Row {
    fn into_due(self) -> Result<Due, Error> {
        Ok(Due {
            job: Job {
                execution_id: parse("execution id", &self.id)?,
                organization_id: parse("organization id", &self.organization_id)?,
                attempt: self.attempt,
            },
            lane: self.lane,
            status: parse("execution status", &self.status)?,
            published: self.published,
            losses: self.losses,
            late: length(self.late),
        })
    }
}
