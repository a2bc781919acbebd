//! Count dead letters: what the dead-letter queue holds.

use std::collections::HashSet;

use diesel::sql_types::{Integer, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionId, ExecutionStatus};

use super::parts::finish::{End, Finish, finish};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;
use crate::{DeadLetter, Error};

const EXECUTION: &str = "SELECT status, attempt, losses FROM executions WHERE id = ?1";

/// A doubled job can die in the queue while its twin was claimed: only what is still PENDING at the dead job's attempt
/// has lost anything.
const LOSE: &str = concat!(
    "UPDATE executions SET losses = losses + 1, published_at = NULL, publishes = 0, wake_at = ",
    now!(),
    " WHERE id = ?1 AND status = 'PENDING' AND attempt = ?2"
);

pub(super) async fn count_dead_letters(
    pool: &SqlitePool,
    jobs: &[(ExecutionId, i32)],
    max_losses: i32,
    error: &str,
) -> Result<Vec<DeadLetter>, Error> {
    let jobs = jobs.to_vec();
    let error = error.to_owned();
    pool.transaction_blocking(move |connection| {
        let mut counted = HashSet::new();
        jobs.iter()
            .map(|job| {
                // Two dead copies of one job are one loss.
                if counted.insert(job) {
                    count_one(connection, job, max_losses, &error)
                } else {
                    Ok(DeadLetter::Stale)
                }
            })
            .collect()
    })
    .await
}

fn count_one(
    connection: &mut SqliteConnection,
    (id, attempt): &(ExecutionId, i32),
    max_losses: i32,
    error: &str,
) -> Result<DeadLetter, Error> {
    let execution: Option<Execution> = Cached(sql_query(EXECUTION).bind::<Text, _>(id.as_str()))
        .get_result(connection)
        .optional()?;
    let Some(execution) = execution else {
        return Ok(DeadLetter::Unknown);
    };
    let from: ExecutionStatus = parse("execution status", &execution.status)?;
    if from != ExecutionStatus::Pending || execution.attempt != *attempt {
        return Ok(DeadLetter::Stale);
    }
    if execution.losses + 1 >= max_losses {
        let end = Finish {
            id,
            from,
            attempt: *attempt,
            end: End::Failed { error },
            entries: 0,
            lost: 1,
            totals: None,
        };
        finish(connection, &end)?;
        return Ok(DeadLetter::Failed);
    }
    let query = sql_query(LOSE)
        .bind::<Text, _>(id.as_str())
        .bind::<Integer, _>(attempt);
    Cached(query).execute(connection)?;
    Ok(DeadLetter::Retried)
}

#[derive(QueryableByName)]
struct Execution {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    losses: i32,
}
