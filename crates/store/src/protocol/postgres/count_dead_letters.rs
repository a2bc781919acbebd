use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::finish::{finish, lock_with_parents, unheld};
use super::parts::jobs::{columns, set};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::DeadLetter;
use crate::tables::usage::note_unhandled;

/// A job dies in the broker long after the relay has published another one for the same PENDING, and that one may have
/// been claimed: only a row that still waits at the dead job's attempt counts a loss. The dead letter itself is read
/// again when this answer is lost, and then counts twice; a loss too many is better than one that nobody counts.
const COUNT: &str = concat!(
    "WITH locked AS (
        SELECT job.place, e.id, e.status = 'PENDING' AND e.attempt = job.attempt AS waits,
            e.losses + 1 >= $3 AS spent, job.follow_up
        FROM executions e
        JOIN unnest($1::text[], $2::int[], $5::text[]) WITH ORDINALITY AS job (id, attempt, follow_up, place)
            ON job.id = e.id
        ORDER BY e.id FOR UPDATE OF e
    ), retried AS (
        UPDATE executions e SET
            losses = e.losses + 1, published_at = NULL, publishes = 0, wake_at = clock_timestamp()
        FROM locked WHERE e.id = locked.id AND locked.waits AND NOT locked.spent
    ), ending AS (
        SELECT DISTINCT ON (id) id, place, $4::text AS error, follow_up, ",
    unheld!("FAILED", "1"),
    " FROM locked WHERE waits AND spent ORDER BY id, place
    ), ",
    finish!(),
    "SELECT place, id, waits, spent, id IN (SELECT id FROM unhandled) AS unhandled FROM locked ORDER BY place",
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Bool)]
    waits: bool,
    #[diesel(sql_type = Bool)]
    spent: bool,
    #[diesel(sql_type = Bool)]
    unhandled: bool,
}

pub(super) async fn count_dead_letters(
    pool: &PostgresPool,
    jobs: &[(ExecutionId, i32)],
    max_losses: i32,
    error: &str,
) -> Result<Vec<DeadLetter>, Error> {
    let (ids, attempts) = columns(jobs);
    let error = error.to_owned();
    let follow_ups: Vec<_> = ids.iter().map(|_| ExecutionId::new().to_string()).collect();
    let rows = pool.transaction_as_system(move |connection| {
        Box::pin(async move {
            lock_with_parents(connection, &ids).await?;
            let count = sql_query(COUNT)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Integer>, _>(attempts)
                .bind::<Integer, _>(max_losses)
                .bind::<Text, _>(error)
                .bind::<Array<Text>, _>(follow_ups);
            Ok(Cached(count).load::<Row>(connection).await?)
        })
    });
    let mut answers = vec![DeadLetter::Unknown; jobs.len()];
    let mut counted = HashSet::new();
    for row in rows.await? {
        if row.unhandled {
            note_unhandled(&row.id);
        }
        let answer = match (row.waits, row.spent) {
            (false, _) => DeadLetter::Stale,
            // Two dead copies of one job are one loss: the statement changes a row once.
            (true, _) if !counted.insert(row.id) => DeadLetter::Stale,
            (true, false) => DeadLetter::Retried,
            (true, true) => DeadLetter::Failed,
        };
        set(&mut answers, row.place, answer);
    }
    Ok(answers)
}
