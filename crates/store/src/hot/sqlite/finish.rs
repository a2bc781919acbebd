//! The one way into a terminal status, whoever goes it.

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection, sql_query};
use gristmill_core::{ExecutionId, ExecutionStatus};

use super::chunk::Place;
use crate::cached::Cached;
use crate::{Ending, Error, Totals};

/// Whoever ends an execution says in which state it saw it. If it has moved on since, claimed by another or ended, the
/// ending is not this caller's to write.
const FINISH: &str = concat!(
    "UPDATE executions SET
         status = ?4,
         output = ?5,
         error = ?6,
         journal_len = journal_len + ?7,
         losses = losses + ?8,
         nodes_executed = coalesce(?9, nodes_executed),
         tokens_used = coalesce(?10, tokens_used),
         cost_micros = coalesce(?11, cost_micros),
         wake_at = NULL,
         completed_at = ",
    now!(),
    "
     WHERE id = ?1 AND status = ?2 AND attempt = ?3
     RETURNING organization_id, journal_len - ?7 AS seq"
);

/// The end of an execution.
pub(super) struct Finish<'a> {
    pub(super) id: &'a ExecutionId,
    /// Where it must still stand, …
    pub(super) from: ExecutionStatus,
    /// … and at which attempt.
    pub(super) attempt: i32,
    pub(super) ending: &'a Ending,
    /// How many entries the last chunk holds.
    pub(super) entries: i32,
    /// How many workers were lost in reaching this end.
    pub(super) lost: i32,
    /// What it cost; `None` leaves what is recorded.
    pub(super) totals: Option<Totals>,
}

/// Ends the execution. Answers with the place for its last chunk, or `None` when it has moved on.
pub(super) fn finish(connection: &mut SqliteConnection, end: &Finish<'_>) -> Result<Option<Place>, Error> {
    let (status, output, error) = match end.ending {
        Ending::Completed { output } => (ExecutionStatus::Completed, Some(output), None),
        Ending::Failed { error } => (ExecutionStatus::Failed, None, Some(error)),
    };
    let query = sql_query(FINISH)
        .bind::<Text, _>(end.id.as_str())
        .bind::<Text, _>(end.from.as_str())
        .bind::<Integer, _>(end.attempt)
        .bind::<Text, _>(status.as_str())
        .bind::<Nullable<Text>, _>(output)
        .bind::<Nullable<Text>, _>(error)
        .bind::<Integer, _>(end.entries)
        .bind::<Integer, _>(end.lost)
        .bind::<Nullable<Integer>, _>(end.totals.map(|totals| totals.nodes_executed))
        .bind::<Nullable<BigInt>, _>(end.totals.map(|totals| totals.tokens_used))
        .bind::<Nullable<BigInt>, _>(end.totals.map(|totals| totals.cost_micros));
    Ok(Cached(query).get_result(connection).optional()?)
}
