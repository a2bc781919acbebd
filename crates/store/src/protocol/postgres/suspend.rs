use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable};
use diesel_async::RunQueryDsl;

use super::parts::chunk::{Holders, bind_holders, is_progress, lock_held, write_chunks};
use super::parts::jobs::set;
use super::parts::leave::leave;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::postgres::PostgresPool;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::protocol::{Suspend, Suspended};

/// A message that arrives while the holder decides to wait finds a RUNNING row and wakes nobody. Were the row then to become
/// WAITING, the message would wait for ever; so it does so only when its `inbox`, as locked, is what the holder has folded.
const SUSPEND: &str = concat!(
    lock_held!(
        ", $6::int[], $7::timestamptz[], $8::bool[]",
        ", folded, wake_at, progress"
    ),
    leave!(
        "held",
        status: "'WAITING'",
        waits_for: "NULL",
        wake_at: "least(held.wake_at, e.deadline)",
        set: "publishes = 0, journal_len = e.journal_len + held.entries,
            losses = CASE WHEN held.progress THEN 0 ELSE e.losses END",
        when: "held.inbox = held.folded",
        returning: "e.journal_len - held.entries AS seq, held.body, held.place",
    ),
    ", ",
    write_chunks!(),
    "SELECT place, inbox = folded AS suspended FROM held",
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Bool)]
    suspended: bool,
}

pub(super) async fn suspend(pool: &PostgresPool, members: &[Suspend]) -> Result<Vec<Suspended>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let folded: Vec<_> = members.iter().map(|member| member.inbox).collect();
    let wake_at: Vec<_> = members
        .iter()
        .map(|member| member.wake_at.map(Timestamp))
        .collect();
    let progress: Vec<_> = members.iter().map(|member| is_progress(&member.chunk)).collect();
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let suspend = bind_holders!(SUSPEND, holders)
                .bind::<Array<Integer>, _>(folded)
                .bind::<Array<Nullable<Moment>>, _>(wake_at)
                .bind::<Array<Bool>, _>(progress);
            Ok(Cached(suspend).load::<Row>(connection).await?)
        })
    });
    let mut answers = vec![Suspended::No; members.len()];
    for row in rows.await? {
        set(
            &mut answers,
            row.place,
            if row.suspended {
                Suspended::Yes
            } else {
                Suspended::MessageArrived
            },
        );
    }
    Ok(answers)
}
