//! Finish: the one way into a terminal status, whoever goes it.

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionId, ExecutionStatus, Totals};

use super::after_end::{follow_up, tell_parent};
use super::chunk::Place;
use super::leave::{leave, let_go};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;

/// Whoever ends an execution says in which state it saw it. If it has moved on since, claimed by another or ended, the
/// ending is not this caller's to write.
const FINISH: &str = leave!(
    status: "?4",
    waits_for: "NULL",
    wake_at: "NULL",
    entries: "?7",
    set: concat!(
        "output = ?5, error = ?6, losses = losses + ?8, nodes_executed = coalesce(?9, nodes_executed),
         tokens_used = coalesce(?10, tokens_used), cost_micros = coalesce(?11, cost_micros), completed_at = ",
        now!()
    ),
    when: "TRUE",
);

/// The end waits to be counted.
const NOTE: &str = "
    INSERT INTO execution_ends (organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used, cost_micros)
    SELECT organization_id, workflow_id, status, 1, completed_at, (completed_at - started_at) / 1000, tokens_used, cost_micros
    FROM executions WHERE id = ?1";

/// The end of an execution.
pub(crate) struct Finish<'a> {
    pub(crate) id: &'a ExecutionId,
    /// Where it must still stand, …
    pub(crate) from: ExecutionStatus,
    /// … and at which attempt.
    pub(crate) attempt: i32,
    pub(crate) end: End<'a>,
    /// How many entries the last chunk holds.
    pub(crate) entries: i32,
    /// How many workers were lost in reaching this end.
    pub(crate) lost: i32,
    /// What it cost; `None` leaves what is recorded.
    pub(crate) totals: Option<Totals>,
}

/// The terminal statuses, with what belongs to each.
#[derive(Clone, Copy)]
pub(crate) enum End<'a> {
    Completed { output: &'a str },
    Failed { error: &'a str },
    Cancelled,
}

/// Ends the execution, notes that for the figures, tells its parent, and hands a failure to the workflow that handles it. Answers with the place for
/// its last chunk, or `None` when it has moved on.
pub(crate) fn finish(connection: &mut SqliteConnection, finish: &Finish<'_>) -> Result<Option<Place>, Error> {
    let (status, output, error) = match finish.end {
        End::Completed { output } => (ExecutionStatus::Completed, Some(output), None),
        End::Failed { error } => (ExecutionStatus::Failed, None, Some(error)),
        End::Cancelled => (ExecutionStatus::Cancelled, None, None),
    };
    let query = sql_query(FINISH)
        .bind::<Text, _>(finish.id.as_str())
        .bind::<Text, _>(finish.from.as_str())
        .bind::<Integer, _>(finish.attempt)
        .bind::<Text, _>(status.as_str())
        .bind::<Nullable<Text>, _>(output)
        .bind::<Nullable<Text>, _>(error)
        .bind::<Integer, _>(finish.entries)
        .bind::<Integer, _>(finish.lost)
        .bind::<Nullable<Integer>, _>(finish.totals.map(|totals| totals.nodes_executed))
        .bind::<Nullable<BigInt>, _>(finish.totals.map(|totals| totals.tokens_used))
        .bind::<Nullable<BigInt>, _>(finish.totals.map(|totals| totals.cost_micros));
    let Some(left) = let_go(connection, query)? else {
        return Ok(None);
    };
    Cached(sql_query(NOTE).bind::<Text, _>(finish.id.as_str())).execute(connection)?;
    if let Some(parent) = &left.parent_execution_id {
        tell_parent(connection, finish.id, parent)?;
    }
    if let End::Failed { .. } = finish.end {
        follow_up(connection, finish.id)?;
    }
    Ok(Some(left.place))
}
