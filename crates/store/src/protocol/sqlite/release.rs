//! Release: RUNNING → PENDING, by a holder that drains.

use diesel::SqliteConnection;
use diesel::sql_types::{Integer, Text};
use gristmill_core::ExecutionStatus;

use super::parts::chunk::{entries, insert_chunk};
use super::parts::each::each;
use super::parts::leave::{leave, let_go};
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Append, Error, Held};

/// Draining is orderly: it neither counts as a loss nor forgives the earlier ones. A holder whose lease ran out while it
/// drained must not take the execution away from the next.
const RELEASE: &str = leave!(
    status: "'PENDING'",
    waits_for: "NULL",
    wake_at: now!(),
    entries: "?4",
    set: "publishes = 0",
    when: "TRUE",
);

pub(super) async fn release(pool: &SqlitePool, members: &[Append]) -> Result<Vec<Held>, Error> {
    each(pool, members, release_one).await
}

fn release_one(connection: &mut SqliteConnection, member: &Append) -> Result<Held, Error> {
    let query = sql_query(RELEASE)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Text, _>(ExecutionStatus::Running.as_str())
        .bind::<Integer, _>(member.attempt)
        .bind::<Integer, _>(entries(member.chunk.as_ref()));
    let place = let_go(connection, query)?.map(|left| left.place);
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}
