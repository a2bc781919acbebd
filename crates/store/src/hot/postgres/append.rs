use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::journal::FORMAT;

use super::chunk::{Holders, lock_held, write_chunks};
use super::jobs::by_place;
use crate::Error;
use crate::cached::Cached;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{Append, Held};

/// A worker that was frozen for longer than its lease wakes up and appends what it did meanwhile. Another one has
/// claimed the execution, its attempt is higher, and nothing is written into the new holder's journal.
const APPEND: &str = concat!(
    lock_held!("", ""),
    "total AS (
        SELECT id, sum(entries) AS entries FROM locked GROUP BY id
    ), counted AS (
        UPDATE executions e SET
            journal_len = e.journal_len + total.entries,
            losses = CASE WHEN total.entries > 0 THEN 0 ELSE e.losses END
        FROM total WHERE e.id = total.id
    ), changed AS (
        SELECT organization_id, id, body,
            journal_len + sum(entries) OVER (PARTITION BY id ORDER BY place) - entries AS seq
        FROM locked
    ), ",
    write_chunks!(),
    "SELECT place FROM locked",
);

pub(super) async fn append(pool: &PostgresPool, members: &[Append]) -> Result<Vec<Held>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let rows = pool.run(move |connection| {
        Box::pin(async move {
            let append = sql_query(APPEND)
                .bind::<Integer, _>(FORMAT)
                .bind::<Array<Text>, _>(holders.ids)
                .bind::<Array<Integer>, _>(holders.attempts)
                .bind::<Array<Nullable<Text>>, _>(holders.bodies)
                .bind::<Array<Integer>, _>(holders.entries);
            Ok(Cached(append).load(connection).await?)
        })
    });
    Ok(by_place(&rows.await?, members.len(), Held::Yes, Held::No))
}
