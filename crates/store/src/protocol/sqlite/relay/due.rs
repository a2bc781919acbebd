//! Due: which executions are due, and how they stand.

use diesel::sql_types::{BigInt, Bool};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};

use super::super::parts::values::length;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::protocol::facts::reason;
use crate::protocol::rows::due_row::DueRow;
use crate::{Due, Error};

const DUE: &str = concat!(
    "SELECT id, organization_id, attempt, lane, status, published_at IS NOT NULL AS published, losses,
         deadline IS NOT NULL AND deadline <= ",
    now!(),
    " AS expired, coalesce(waits_for, '') = ",
    reason!(Start),
    " AND EXISTS (
             SELECT 1 FROM workflows AS w
             WHERE w.organization_id = executions.organization_id AND w.id = executions.workflow_id AND w.paused_at IS NOT NULL
         ) AS paused, ",
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
    rows.into_iter()
        .map(|row| row.due.into_due(length(row.late)))
        .collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    due: DueRow,
    #[diesel(sql_type = BigInt)]
    late: i64,
}
