//! Suspend: RUNNING → WAITING, by the holder.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::ExecutionStatus;

use super::parts::chunk::{entries, insert_chunk, is_progress};
use super::parts::each::each;
use super::parts::leave::{leave, let_go};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::{Error, Held, Suspend, Suspended};

/// A message that arrives while the holder makes up its mind wakes nobody, since the execution is RUNNING: if the holder then
/// went to sleep for that very message, it would sleep for ever. So it only may while the inbox is as it folded it.
const SUSPEND: &str = leave!(
    status: "'WAITING'",
    waits_for: "NULL",
    wake_at: "CASE WHEN deadline < ?5 OR ?5 IS NULL THEN deadline ELSE ?5 END",
    entries: "?6",
    set: "losses = CASE WHEN ?7 THEN 0 ELSE losses END",
    when: "inbox = ?4",
);

const HELD: &str = "
    SELECT count(*) AS held FROM executions
    WHERE id = ?1 AND status = 'RUNNING' AND attempt = ?2";

pub(super) async fn suspend(pool: &SqlitePool, members: &[Suspend]) -> Result<Vec<Suspended>, Error> {
    each(pool, members, suspend_one).await
}

fn suspend_one(connection: &mut SqliteConnection, member: &Suspend) -> Result<Suspended, Error> {
    let query = sql_query(SUSPEND)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Text, _>(ExecutionStatus::Running.as_str())
        .bind::<Integer, _>(member.attempt)
        .bind::<Integer, _>(member.inbox)
        .bind::<Nullable<Moment>, _>(member.wake_at.map(Timestamp))
        .bind::<Integer, _>(entries(member.chunk.as_ref()))
        .bind::<Bool, _>(is_progress(member.chunk.as_ref()));
    let place = let_go(connection, query)?.map(|left| left.place);
    match insert_chunk(connection, &member.id, place, member.chunk.as_ref())? {
        Held::Yes => Ok(Suspended::Yes),
        Held::No if is_held(connection, member)? => Ok(Suspended::MessageArrived),
        Held::No => Ok(Suspended::No),
    }
}

fn is_held(connection: &mut SqliteConnection, member: &Suspend) -> Result<bool, Error> {
    let query = sql_query(HELD)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Integer, _>(member.attempt);
    let count: Count = Cached(query).get_result(connection)?;
    Ok(count.held > 0)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    held: i64,
}
