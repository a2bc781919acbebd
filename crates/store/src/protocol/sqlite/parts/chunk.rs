//! Chunk: the journal chunk that a holder's write brings along.

use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionId, journal};

use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::{Error, Held, NewChunk};

const INSERT: &str = "
    INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
    VALUES (?1, ?2, ?3, ?4, ?5)";

/// How many entries a holder's write brings.
pub(crate) fn entries(chunk: Option<&NewChunk>) -> i32 {
    chunk.map_or(0, |chunk| chunk.entries)
}

/// Whether a holder's write says that the execution got on.
pub(crate) fn is_progress(chunk: Option<&NewChunk>) -> bool {
    chunk.is_some_and(|chunk| chunk.progress)
}

/// Where a chunk goes, by the statement that made room for it: the one under the holder's guard.
#[derive(QueryableByName)]
pub(crate) struct Place {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Integer)]
    seq: i32,
}

/// Puts the chunk where the guarded statement said; without a place the holder has lost its lease.
pub(crate) fn insert_chunk(
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
