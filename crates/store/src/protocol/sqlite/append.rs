//! Append: a holder's journal commit.

use diesel::sql_types::{Bool, Integer, Text};
use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};

use super::parts::chunk::{entries, insert_chunk, is_progress};
use super::parts::each::each;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sqlite::SqlitePool;
use crate::{Append, Error, Held};

/// A holder that was slow for longer than its lease does not know that it lost it: another may have claimed since, and
/// every claim raises `attempt`. Without the guard two holders would interleave their entries. An append that is sent
/// again because its answer was lost finds a longer journal than its holder knew, and does nothing.
///
/// `losses` outlives whatever is no progress, such as the beginning of an effect: one that kills its worker every time
/// would otherwise never reach the limit.
const APPEND: &str = "
    UPDATE executions SET journal_len = journal_len + ?3, losses = CASE WHEN ?4 THEN 0 ELSE losses END
    WHERE id = ?1 AND status = 'RUNNING' AND attempt = ?2 AND journal_len = ?5
    RETURNING organization_id, journal_len - ?3 AS seq";

pub(super) async fn append(pool: &SqlitePool, members: &[Append]) -> Result<Vec<Held>, Error> {
    each(pool, members, append_one).await
}

fn append_one(connection: &mut SqliteConnection, member: &Append) -> Result<Held, Error> {
    let query = sql_query(APPEND)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Integer, _>(member.attempt)
        .bind::<Integer, _>(entries(member.chunk.as_ref()))
        .bind::<Bool, _>(is_progress(member.chunk.as_ref()))
        .bind::<Integer, _>(member.journal_len);
    let place = Cached(query).get_result(connection).optional()?;
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}
