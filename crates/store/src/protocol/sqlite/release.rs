//! RUNNING → PENDING, by a holder that drains.

use diesel::sql_types::{Integer, Text};
use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};

use super::parts::chunk::{entries, insert_chunk};
use super::parts::members::each;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Append, Error, Held};

/// Draining is orderly: it neither counts as a loss nor forgives the earlier ones. A holder whose lease ran out while it
/// drained must not take the execution away from the next.
const RELEASE: &str = concat!(
    "UPDATE executions SET
         status = 'PENDING',
         wake_at = ",
    now!(),
    ",
         journal_len = journal_len + ?3
     WHERE id = ?1 AND status = 'RUNNING' AND attempt = ?2
     RETURNING organization_id, journal_len - ?3 AS seq"
);

pub(super) async fn release(pool: &SqlitePool, members: &[Append]) -> Result<Vec<Held>, Error> {
    each(pool, members, release_one).await
}

fn release_one(connection: &mut SqliteConnection, member: &Append) -> Result<Held, Error> {
    let query = sql_query(RELEASE)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Integer, _>(member.attempt)
        .bind::<Integer, _>(entries(member.chunk.as_ref()));
    let place = Cached(query).get_result(connection).optional()?;
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}
