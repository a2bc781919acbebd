//! RUNNING → COMPLETED or FAILED, by the holder.

use diesel::SqliteConnection;
use gristmill_core::ExecutionStatus;

use super::append::{entries, insert_chunk};
use super::finish::{Finish, finish};
use crate::sqlite_pool::SqlitePool;
use crate::{Error, Held, Settle};

pub(super) async fn settle(pool: &SqlitePool, members: &[Settle]) -> Result<Vec<Held>, Error> {
    let members = members.to_vec();
    pool.transaction_blocking(move |connection| {
        members
            .iter()
            .map(|member| settle_one(connection, member))
            .collect()
    })
    .await
}

fn settle_one(connection: &mut SqliteConnection, member: &Settle) -> Result<Held, Error> {
    let end = Finish {
        id: &member.id,
        // A stale holder would overwrite what the present one is still working out, or has.
        from: ExecutionStatus::Running,
        attempt: member.attempt,
        ending: &member.ending,
        entries: entries(member.chunk.as_ref()),
        lost: 0,
        totals: Some(member.totals),
    };
    let place = finish(connection, &end)?;
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}
