//! Relay: executions whose time has come.

mod due;

use std::time::Duration;

use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{RunQueryDsl, SqliteConnection};
use gristmill_core::ExecutionStatus;

use super::parts::finish::{End, Finish, finish};
use super::parts::leave::{leave, let_go};
use super::parts::values::micros;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::protocol::facts::reason;
use crate::{Decide, Due, Error, Sweep, Wake};

/// Says again which row was decided on, though nobody else can write in between: the decision belongs to that state.
const MOVE: &str = leave!(
    status: "?4",
    waits_for: concat!("CASE ?4 WHEN 'WAITING' THEN ", reason!(Worker), " END"),
    wake_at: concat!("min(", now!(), " + ?6, coalesce(deadline, 9223372036854775807))"),
    entries: "0",
    set: "losses = losses + ?5",
    when: "TRUE",
);

/// Whether its workflow was resumed since the look does not matter: `resume_paused` finds it.
const AWAIT_RESUME: &str = concat!(
    "UPDATE executions SET waits_for = ",
    reason!(Paused),
    ", wake_at = NULL, published_at = NULL, publishes = 0
    WHERE id = ?1 AND status = ?2 AND attempt = ?3"
);

pub(super) async fn relay(
    pool: &SqlitePool,
    sweep: Sweep,
    decide: Decide<'_>,
) -> Result<Vec<(Due, Wake)>, Error> {
    // `decide` lives as long as the caller and cannot come along to the blocking thread. The right to write is kept
    // from the look to the deed, which is as good as one transaction: nobody else writes in between.
    let writer = pool.writer().await?;
    let (writer, due) = writer
        .transaction(move |connection| due::load(connection, sweep.limit, sweep.reap))
        .await?;
    let decided: Vec<_> = due
        .into_iter()
        .map(|due| {
            let wake = decide(&due);
            (due, wake)
        })
        .collect();
    if decided.iter().all(|(_, wake)| *wake == Wake::Leave) {
        return Ok(decided);
    }
    let deed = move |connection: &mut SqliteConnection| {
        for (due, wake) in &decided {
            act(connection, due, wake)?;
        }
        Ok(decided)
    };
    let (_, decided) = writer.transaction(deed).await?;
    Ok(decided)
}

fn act(connection: &mut SqliteConnection, due: &Due, wake: &Wake) -> Result<(), Error> {
    match wake {
        Wake::Publish { again_in } | Wake::Start { again_in } => {
            move_to(connection, due, ExecutionStatus::Pending, 0, *again_in)
        }
        Wake::Reap { again_in } => move_to(connection, due, ExecutionStatus::Pending, 1, *again_in),
        Wake::Pause { pause } => move_to(connection, due, ExecutionStatus::Waiting, 1, *pause),
        Wake::AwaitResume => await_resume(connection, due),
        Wake::Fail { error } => fail(connection, due, error, 1),
        Wake::Expire { error } => fail(connection, due, error, 0),
        Wake::Leave => Ok(()),
    }
}

fn await_resume(connection: &mut SqliteConnection, due: &Due) -> Result<(), Error> {
    let query = sql_query(AWAIT_RESUME)
        .bind::<Text, _>(due.job.execution_id.as_str())
        .bind::<Text, _>(due.status.as_str())
        .bind::<Integer, _>(due.job.attempt);
    Cached(query).execute(connection)?;
    Ok(())
}

fn fail(connection: &mut SqliteConnection, due: &Due, error: &str, lost: i32) -> Result<(), Error> {
    let end = Finish {
        id: &due.job.execution_id,
        from: due.status,
        attempt: due.job.attempt,
        end: End::Failed { error },
        entries: 0,
        lost,
        totals: None,
    };
    finish(connection, &end).map(|_| ())
}

fn move_to(
    connection: &mut SqliteConnection,
    due: &Due,
    status: ExecutionStatus,
    lost: i32,
    again_in: Duration,
) -> Result<(), Error> {
    let query = sql_query(MOVE)
        .bind::<Text, _>(due.job.execution_id.as_str())
        .bind::<Text, _>(due.status.as_str())
        .bind::<Integer, _>(due.job.attempt)
        .bind::<Text, _>(status.as_str())
        .bind::<Integer, _>(lost)
        .bind::<BigInt, _>(micros(again_in));
    let_go(connection, query).map(drop)
}
