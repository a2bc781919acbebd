//! A holder's journal commit, and the chunk that the other ends of a hold bring along.

use diesel::sql_types::{Integer, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use gristmill_core::{ExecutionId, journal};

use crate::cached::Cached;
use crate::sqlite_pool::SqlitePool;
use crate::{Append, Error, Held, NewChunk};

/// A holder that was slow for longer than its lease does not know that it lost it: another may have claimed since, and
/// every claim raises `attempt`. Without the guard two holders would interleave their entries.
const APPEND: &str = "
    UPDATE executions SET journal_len = journal_len + ?3, losses = CASE WHEN ?3 > 0 THEN 0 ELSE losses END
    WHERE id = ?1 AND status = 'RUNNING' AND attempt = ?2
    RETURNING organization_id, journal_len - ?3 AS seq";

const INSERT: &str = "
    INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
    VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) async fn append(pool: &SqlitePool, members: &[Append]) -> Result<Vec<Held>, Error> {
    let members = members.to_vec();
    pool.transaction_blocking(move |connection| {
        members
            .iter()
            .map(|member| append_one(connection, member))
            .collect()
    })
    .await
}

fn append_one(connection: &mut SqliteConnection, member: &Append) -> Result<Held, Error> {
    let place = Cached(
        sql_query(APPEND)
            .bind::<Text, _>(member.id.as_str())
            .bind::<Integer, _>(member.attempt)
            .bind::<Integer, _>(entries(member.chunk.as_ref())),
    )
    .get_result(connection)
    .optional()?;
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}

/// How many entries a holder's write brings.
pub(super) fn entries(chunk: Option<&NewChunk>) -> i32 {
    chunk.map_or(0, |chunk| chunk.entries)
}

/// Where a chunk goes, by the statement that made room for it: the one under the holder's guard.
#[derive(QueryableByName)]
pub(super) struct Place {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Integer)]
    seq: i32,
}

/// Puts the chunk where the guarded statement said; without a place the holder has lost its lease.
pub(super) fn insert_chunk(
    connection: &mut SqliteConnection,
    id: &ExecutionId,
    place: Option<Place>,
    chunk: Option<&NewChunk>,
) -> Result<Held, Error> {
    let Some(place) = place else { return Ok(Held::No) };
    if let Some(chunk) = chunk {
        Cached(
            sql_query(INSERT)
                .bind::<Text, _>(place.organization_id)
                .bind::<Text, _>(id.as_str())
                .bind::<Integer, _>(place.seq)
                .bind::<Integer, _>(journal::FORMAT)
                .bind::<Text, _>(&chunk.body),
        )
        .execute(connection)?;
    }
    Ok(Held::Yes)
}
