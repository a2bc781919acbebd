use diesel::sql_types::{Array, Bool, Integer};
use diesel_async::RunQueryDsl;

use super::parts::chunk::{Holders, bind_holders, is_progress, lock_held, write_chunks};
use super::parts::jobs::by_place;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::postgres::PostgresPool;
use crate::protocol::{Append, Held};

/// A worker that was frozen for longer than its lease wakes up and appends what it did meanwhile. Another one has
/// claimed the execution, its attempt is higher, and nothing is written into the new holder's journal.
///
/// A connection is cut while the server still works on the append. The holder sends it again, finds the row locked by
/// the first one, and waits for that one's commit: the journal is longer then than the holder knew, and the second does
/// nothing.
///
/// `losses` outlives whatever is no progress, such as the beginning of an effect: one that kills its worker every time
/// would otherwise never reach the limit.
const APPEND: &str = concat!(
    lock_held!(", $6::bool[], $7::int[]", ", progress, known"),
    "changed AS (
        UPDATE executions e SET
            journal_len = e.journal_len + held.entries,
            losses = CASE WHEN held.progress THEN 0 ELSE e.losses END
        FROM held WHERE e.id = held.id AND held.journal_len = held.known
        RETURNING e.organization_id, e.id, e.journal_len - held.entries AS seq, held.body, held.place
    ), ",
    write_chunks!(),
    "SELECT place FROM changed",
);

pub(super) async fn append(pool: &PostgresPool, members: &[Append]) -> Result<Vec<Held>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let progress: Vec<_> = members.iter().map(|member| is_progress(&member.chunk)).collect();
    let known: Vec<_> = members.iter().map(|member| member.journal_len).collect();
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let append = bind_holders!(APPEND, holders)
                .bind::<Array<Bool>, _>(progress)
                .bind::<Array<Integer>, _>(known);
            Ok(Cached(append).load(connection).await?)
        })
    });
    Ok(by_place(&rows.await?, members.len(), Held::Yes, Held::No))
}
