//! Settle: RUNNING → COMPLETED or FAILED, by the holder.

use diesel::SqliteConnection;
use gristmill_core::ExecutionStatus;

use super::parts::chunk::{entries, insert_chunk};
use super::parts::each::each;
use super::parts::finish::{End, Finish, finish};
use crate::connection::sqlite::SqlitePool;
use crate::{Ending, Error, Held, Settle};

pub(super) async fn settle(pool: &SqlitePool, members: &[Settle]) -> Result<Vec<Held>, Error> {
    each(pool, members, settle_one).await
}

fn settle_one(connection: &mut SqliteConnection, member: &Settle) -> Result<Held, Error> {
    let end = Finish {
        id: &member.id,
        // A stale holder would overwrite what the present one is still working out, or has.
        from: ExecutionStatus::Running,
        attempt: member.attempt,
        end: match &member.ending {
            Ending::Completed { output } => End::Completed { output },
            Ending::Failed { error } => End::Failed { error },
        },
        entries: entries(member.chunk.as_ref()),
        lost: 0,
        totals: Some(member.totals),
    };
    let place = finish(connection, &end)?;
    insert_chunk(connection, &member.id, place, member.chunk.as_ref())
}
